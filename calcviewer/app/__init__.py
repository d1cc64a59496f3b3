"""What the program does, as one session and a few workflows, without a window."""
