"""What cotdata and its peers train on, token by token, on the same rows with real tokenizers."""
