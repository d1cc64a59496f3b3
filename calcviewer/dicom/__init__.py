"""DICOM objects in and out; the only part that knows a DICOM library.

`header`, `acquisition` and `frames` read images, `seg_reader` and `sr_reader` results. `seg`,
`sr`, `encapsulated` and `ivoct_writer` write. `codes` names the concepts, `source` what results
inherit, `deidentify` what they must not. `network` speaks to archives.
"""
