"""Values and pure functions that know no file format, no network and no window.

`pullback`, `annotation` and `study` are what everything else is about, `geometry` and `contour`
how it is described, `editing` how contours are changed. The rest keeps files whole, private and
bounded, and says what went wrong (`errors`).
"""
