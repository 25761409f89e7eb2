"""What people use: a model behind a function, an OpenAI-compatible URL, MCP tools and a page in the browser."""


class ServingError(RuntimeError):
    """Something that cannot be served; the message names the mend."""
