"""The synchronised views of a pullback.

`cross_section` and `polar` show one frame: both are an `image_view`, on an `image_canvas`, under
an `overlay`. `longitudinal`, `calcium_map` and `trends` run along the pullback on one
`frame_axis`. `volume` is the vessel in three dimensions.
"""
