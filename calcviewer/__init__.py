"""CalcViewer: coronary calcium in intravascular images, segmented, measured and scored.

Research use only. Not for diagnostic use.
"""

__version__ = "0.1.0"
