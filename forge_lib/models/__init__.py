"""From weights to text: bases, prompts, answers, endpoints."""
