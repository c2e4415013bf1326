"""What cotdata's claims of speed rest on: one command that runs it and its peers side by side."""
