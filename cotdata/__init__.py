"""cotdata turns chain-of-thought sources into training data that carries its own proof."""

__version__ = "0.1.0"
