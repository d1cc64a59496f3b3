"""The window: the only package that knows Qt.

`app` starts it and `main_window` puts it together. `actions` lists what the operator can do, and
`commands` does it. `desk` holds the open study with all that works on it: `opening`,
`segmentation`, `interpolation`, `keeping`. Long work is a `task`.

`views` are the pictures and curves, `tools` what the mouse does in them, `panels` the numbers
beside them. `exporting`, `pacs` and `second_reading` are what their names say. `cut`, `flags`,
`frames`, `frame_scale`, `map_raster` and `surface` need no Qt: they are what the views draw, as
arrays.
"""
