"""The panels beside the views: score, lesions, decisive frames, calibration."""
