"""Archives over the network: DICOM messages (pynetdicom) and DICOMweb."""
