"""Turns rows into the exact tokens that a model is trained on, and proves each of them."""
