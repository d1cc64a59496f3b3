"""Values and pure functions that know no file format, no network and no window."""
