"""Networks and their refinement at inference time: ONNX Runtime, model cards, the CRF."""

import os

# From 1.29 on, its builds for Linux and macOS send what they load and run to Microsoft, under a
# number kept for the machine. It reads this once, when it is first loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
