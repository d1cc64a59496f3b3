"""Simulated IVOCT pullbacks with exact truth, from the physics of the measurement."""

from calcviewer.simulation.pullback import (
    PullbackSpec,
    SimulatedFrame,
    SimulatedPullback,
    simulate_pullback,
)
from calcviewer.simulation.truth import CalciumPolygon

__all__ = [
    "CalciumPolygon",
    "PullbackSpec",
    "SimulatedFrame",
    "SimulatedPullback",
    "simulate_pullback",
]
