"""Export from the window: what is written, how it will look, and the writing."""
