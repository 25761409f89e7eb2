"""Where notebook 07 finds what answers from a GGUF file; it is defined in the rooms before, which need it too."""

from forge_lib.evaluation.contenders import gguf_model  # noqa: F401
from forge_lib.models.llama import evaluate_tokens, load_gguf, same_token_ids  # noqa: F401
