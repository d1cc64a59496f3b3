"""Results for archives and other programs, and what was stored or drawn there, read again."""
