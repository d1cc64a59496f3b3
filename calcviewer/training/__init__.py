"""Training of the segmentation network: data sets, SegNet, training, evaluation, export."""
