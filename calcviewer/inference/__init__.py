"""Networks and their refinement at inference time: ONNX Runtime, model cards, the CRF."""
