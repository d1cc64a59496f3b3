"""What Gharaibeh et al. (J Med Imaging 2019, 6(4):045002) report, to print beside our numbers.

48 volumes of interest of 34 clinical pullbacks, 2640 frames, ten-fold cross-validation; means and
standard deviations over the folds. Clinical data with experts' labels: another task than ours.
"""

from typing import NamedTuple

from calcviewer.training.statistics import Spread

DATA = "Gharaibeh et al. 2019: 48 clinical VOIs, 2640 frames, ten folds, experts' labels"


class Lesion(NamedTuple):
    """One row of Table 3: maximum arc in degrees, maximum thickness in mm, score."""

    name: str
    frames: int
    length_mm: float
    true: tuple[float, float, int]
    found: tuple[float, float, int]


CONFUSION_PERCENT = {
    "cartesian": (
        (Spread(95.18, 2.83), Spread(1.49, 1.23), Spread(3.33, 2.08)),
        (Spread(1.55, 2.48), Spread(98.03, 2.42), Spread(0.42, 0.54)),
        (Spread(13.76, 6.96), Spread(3.345, 2.40), Spread(82.89, 6.81)),
    ),
    "polar": (
        (Spread(97.62, 1.47), Spread(0.62, 0.55), Spread(1.75, 1.09)),
        (Spread(0.56, 0.60), Spread(99.42, 1.05), Spread(0.01, 0.02)),
        (Spread(14.50, 7.33), Spread(0.22, 0.23), Spread(85.27, 4.82)),
    ),
}
"""Table 1: [true class][predicted class], after the CRF."""

SCORES = {
    "cartesian": {
        "other": (Spread(0.95, 0.02), Spread(0.96, 0.02), Spread(0.97, 0.03)),
        "lumen": (Spread(0.98, 0.02), Spread(0.98, 0.01), Spread(0.90, 0.01)),
        "calcium": (Spread(0.82, 0.06), Spread(0.97, 0.01), Spread(0.42, 0.03)),
    },
    "polar": {
        "other": (Spread(0.97, 0.01), Spread(0.98, 0.01), Spread(0.98, 0.01)),
        "lumen": (Spread(0.99, 0.01), Spread(0.99, 0.006), Spread(0.99, 0.008)),
        "calcium": (Spread(0.85, 0.04), Spread(0.99, 0.004), Spread(0.73, 0.01)),
    },
}
"""Table 1, caption: sensitivity, specificity and F1 score after the CRF."""

CRF = {
    "before": {
        "other": (Spread(0.94, 0.02), Spread(0.97, 0.01)),
        "lumen": (Spread(0.98, 0.02), Spread(0.98, 0.02)),
        "calcium": (Spread(0.81, 0.1), Spread(0.42, 0.04)),
    },
    "after": {
        "other": (Spread(0.97, 0.01), Spread(0.98, 0.006)),
        "lumen": (Spread(0.99, 0.01), Spread(0.98, 0.01)),
        "calcium": (Spread(0.85, 0.04), Spread(0.76, 0.03)),
    },
}
"""Table 2: sensitivity and Dice coefficient."""

LESIONS = (
    Lesion("Ca1", 19, 1.9, (45, 0.52, 1), (89, 0.91, 1)),
    Lesion("Ca2", 20, 2.0, (68, 0.67, 1), (124, 0.91, 1)),
    Lesion("Ca3", 73, 7.3, (330, 0.60, 4), (328, 0.82, 4)),
    Lesion("Ca4", 32, 3.2, (132, 1.1, 1), (123, 1.4, 1)),
    Lesion("Ca5", 123, 12.3, (146, 0.88, 2), (227, 1.0, 4)),
)
"""Table 3."""

LIMITS = {
    "lumen_area_mm2": (-0.54, -1.2, 0.14),
    "max_arc_deg_visible": (-7.0, -52.0, 37.0),
    "max_thickness_mm": (-0.13, -0.52, 0.25),
    "mean_depth_mm": (0.05, -0.15, 0.25),
}
"""Figure 7: bias and 95 % limits of agreement, manual - predicted."""

WILCOXON = {"crf": "p < 0.005", "cartesian": "p < 0.01"}
"""Of the calcium score: with against without CRF (Table 2), polar against Cartesian (Table 1)."""
