"""Training of the segmentation networks: the only package that knows PyTorch.

`generate` and `labelled` make data sets; `dataset`, `augment`, `loss` and `train` train on them.
The `architectures` are `segnet`, `unet` and `deeplab`, built of `blocks`. `evaluate` and
`agreement` measure a network, `cross_validate` an architecture, and `report` prints what they
found. `export` writes the model that the program runs.
"""
