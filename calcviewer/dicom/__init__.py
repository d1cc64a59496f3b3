"""DICOM objects in and out; the only part that knows a DICOM library."""
