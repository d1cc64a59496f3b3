"""A review is kept: every finished step goes to a log beside the pullback, and is found again."""
