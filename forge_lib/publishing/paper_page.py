"""What a report numbers as it goes: its tables, figures and references."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from forge_lib.publishing import paper_figures
from forge_lib.publishing.markdown import Marked, escape, table

REFERENCES = {
    "lora": "Hu et al. 2021. LoRA: Low-Rank Adaptation of Large Language Models. https://arxiv.org/abs/2106.09685",
    "qlora": "Dettmers et al. 2023. QLoRA: Efficient Finetuning of Quantized LLMs. https://arxiv.org/abs/2305.14314",
    "packing": "Krell et al. 2021. Efficient Sequence Packing without Cross-contamination. https://arxiv.org/abs/2107.02027",
    "adamw": "Loshchilov and Hutter 2017. Decoupled Weight Decay Regularization. https://arxiv.org/abs/1711.05101",
    "grpo": "Shao et al. 2024. DeepSeekMath: Pushing the Limits of Mathematical Reasoning. https://arxiv.org/abs/2402.03300",
    "trl": "von Werra et al. TRL: Transformers Reinforcement Learning. https://github.com/huggingface/trl",
    "miller": "Miller 2024. Adding Error Bars to Evals. https://arxiv.org/abs/2411.00640",
    "wilson": "Wilson 1927. Probable inference, the law of succession, and statistical inference. https://doi.org/10.1080/01621459.1927.10502953",
    "tango": "Tango 1998. Equivalence test and confidence interval for the difference in proportions for the paired-sample design. "
    "https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B",
    "clopper": "Clopper and Pearson 1934. The use of confidence or fiducial limits. https://doi.org/10.1093/biomet/26.4.404",
    "mcnemar": "McNemar 1947. Note on the sampling error of the difference between correlated proportions. "
    "https://doi.org/10.1007/BF02295996",
    "llama": "llama.cpp. https://github.com/ggml-org/llama.cpp",
    "SmolLM2": "Ben Allal et al. 2025. SmolLM2: When Smol Goes Big. https://arxiv.org/abs/2502.02737",
    "Qwen2.5": "Qwen Team 2024. Qwen2.5 Technical Report. https://arxiv.org/abs/2412.15115",
    "Qwen3": "Qwen Team 2025. Qwen3 Technical Report. https://arxiv.org/abs/2505.09388",
}


class Page:
    """Numbers of tables, figures and references in the order in which the text comes to them."""

    def __init__(self, folder: Path, facts: dict, metric: str):
        self.folder, self.facts, self.metric = folder, facts, metric
        self.tables = self.figures = 0
        self.cited: list[str] = []

    def table(self, caption: str, head: Sequence, rows: Sequence[Sequence]) -> Marked:
        """A table under its caption."""
        self.tables += 1
        return Marked(f"**Table {self.tables}.** {escape(_capital(caption))}\n\n{table(head, rows)}")

    def figure(self, name: str, caption: str) -> Marked:
        """A figure over its caption, drawn into the folder."""
        path, evaluation = self.folder / f"{name}.svg", self.facts["evaluation"]
        if name == "accuracy":
            paper_figures.accuracy(evaluation.rows, self.metric, path)
        elif name == "differences":
            paper_figures.differences(evaluation.comparisons, path)
        elif name == "formats":
            paper_figures.formats(self.facts["files"].formats, self.metric, path)
        else:
            draw = {"training": paper_figures.training, "rewards": paper_figures.rewards}[name]
            draw(self.facts["sft" if name == "training" else "grpo"].steps, path)
        self.figures += 1
        said_below = escape(_capital(caption))
        return Marked(f"![{said_below}](figures/{name}.svg)\n\n**Figure {self.figures}.** {said_below}")

    def cite(self, key: str) -> str:
        """The number of a reference in brackets."""
        if key not in self.cited:
            self.cited.append(key)
        return f"[{self.cited.index(key) + 1}]"

    def references(self) -> Marked:
        """All that were cited, in the order of their numbers."""
        entries = (re.sub(r"(https://\S+)$", r"<\1>", REFERENCES[key]) for key in self.cited)
        return Marked("\n".join(f"{n}. {entry}" for n, entry in enumerate(entries, 1)))

    def cite_base(self, base: str) -> str:
        """The report on the base's family, where it is known."""
        family = next((key for key in ("SmolLM2", "Qwen2.5", "Qwen3") if base.rpartition("/")[2].startswith(key)), None)
        return f" {self.cite(family)}" if family else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
