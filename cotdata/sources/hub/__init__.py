"""Data sets of the hubs: Hugging Face, through `datasets`, and ModelScope, through its package."""
