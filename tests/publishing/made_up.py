"""Answers of contenders that nobody asked."""


def answers(contender: str, right: set[int], parts=("seen", "unseen")) -> list[dict]:
    return [
        {"contender": contender, "id": f"i{n}", "context": f"d{n % 4}", "valid": True, "part": parts[n % len(parts)], "correct": n in right,
         "correct_strict": n in right, "verdict": "correct" if n in right else "wrong result", "prompt_tokens": 100,
         "completion_tokens": 20, "seconds": 0.5}
        for n in range(12)
    ]  # fmt: skip
