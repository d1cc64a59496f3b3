"""What the mouse does in a view besides moving about; one tool a file."""
