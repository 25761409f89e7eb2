"""The fast path of training and generation on a processor, behind one door.

`supports` says whether `hidden_states` holds for a model, whose other layers `fuse_lora` makes faster; within `compiling()`
what is marked `one_pass` is compiled; `give_back` returns memory to the system. `forge_lib.engine.cascade` is generation's
attention, on every device. What does not fit takes transformers' way.
"""

import forge_lib.engine.attention  # noqa: F401  (registers "forge" with transformers)
from forge_lib.engine.attention import Layout
from forge_lib.engine.blocks import hidden_states, supports
from forge_lib.engine.compiling import compiling, one_pass
from forge_lib.engine.fused import fuse_lora
from forge_lib.engine.memory import give_back

__all__ = ["Layout", "compiling", "fuse_lora", "give_back", "hidden_states", "one_pass", "supports"]
