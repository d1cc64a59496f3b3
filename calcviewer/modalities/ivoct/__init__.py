"""Intravascular optical coherence tomography.

`read` opens a pullback, whatever it is stored in. `segment` annotates its frames, after
`preprocess`. `quantify` measures a frame, `lesion` groups frames and `score` scores them, under
the rules of `protocol`; `measurements` turns all of it into rows.
"""
