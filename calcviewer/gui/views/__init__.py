"""The synchronised views of a pullback."""
