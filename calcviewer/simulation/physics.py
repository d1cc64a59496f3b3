"""Other physics than the one fitted to real frames: what other consoles, or other simulators, do.

A network that only knows one way in which light behaves is sure of itself and wrong in a second
one. Four are for training: "averaging", whose speckle is as faint as that of the real frames at
hand, "wide", in which every property is drawn from much wider ranges, and the two that a network
trained on those did worst under, "pale calcium" and "steep attenuation". The others are kept out
of training, each beyond "wide" in one respect, to see how far a network carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from calcviewer.simulation.calcium import Deposit
from calcviewer.simulation.optics import Optics
from calcviewer.simulation.plaque import Feature
from calcviewer.simulation.vessel import Vessel

Range = tuple[float, float]
FITTED = "fitted"
_PALEST_CALCIUM_DB = -3.5
"""Calcium that is no darker than this cannot be told from the tissue around it."""


@dataclass(frozen=True, kw_only=True)
class Physics:
    """Ranges, drawn from uniformly for one pullback.

    Parameters
    ----------
    optics
        Replace properties of `Optics`, by name.
    calcium_db
        Added to the backscatter of all calcium.
    attenuation
        Factor on the attenuation of calcium and of every plaque feature.
    """

    optics: Mapping[str, Range] = field(default_factory=dict)
    calcium_db: Range = (0.0, 0.0)
    attenuation: Range = (1.0, 1.0)


PHYSICS: dict[str, Physics] = {
    "averaging": Physics(optics={"looks": (1.6, 4.4), "smoothing_px": (0.2, 0.9)}),
    "wide": Physics(
        optics={
            "focus_mm": (0.5, 3.5),
            "rayleigh_mm": (0.8, 6.0),
            "rolloff_mm": (2.5, 20.0),
            "spot_mm": (0.012, 0.065),
            "axial_mm": (0.008, 0.026),
            "noise_db": (-46.0, -22.0),
            "smoothing_px": (0.0, 1.4),
            "looks": (0.6, 4.4),
            "fibrous_mu_t": (0.9, 5.0),
            "media_db": (-12.0, -0.5),
            "media_mu_t": (0.8, 4.5),
            "adventitia_db": (-5.0, 4.0),
            "adventitia_mu_t": (0.8, 4.5),
            "fat_db": (-14.0, -2.0),
            "lamina_db": (0.0, 6.0),
            "texture_db": (0.0, 2.8),
            "strands_db": (0.0, 4.5),
            "blood_db": (-30.0, -9.0),
            "blood_mu_t": (0.1, 3.5),
        },
        calcium_db=(-5.0, 2.5),
        attenuation=(0.6, 1.5),
    ),
    "pale calcium": Physics(calcium_db=(3.0, 4.5)),
    "steep attenuation": Physics(
        optics={
            "fibrous_mu_t": (5.0, 6.5),
            "media_mu_t": (4.5, 6.0),
            "adventitia_mu_t": (4.5, 6.0),
        },
        attenuation=(1.5, 2.0),
    ),
    "coarse speckle": Physics(
        optics={
            "spot_mm": (0.07, 0.1),
            "axial_mm": (0.028, 0.04),
            "smoothing_px": (1.2, 2.0),
        }
    ),
    "fine speckle": Physics(
        optics={"spot_mm": (0.004, 0.01), "axial_mm": (0.004, 0.007), "smoothing_px": (0.0, 0.2)}
    ),
    "noise": Physics(optics={"noise_db": (-21.0, -18.0)}),
    "dark calcium": Physics(calcium_db=(-12.0, -6.0)),
    "wall of one layer": Physics(
        optics={
            "media_db": (-0.3, 0.3),
            "adventitia_db": (-0.3, 0.3),
            "fat_db": (-1.0, 0.0),
            "lamina_db": (0.0, 0.2),
            "texture_db": (0.0, 0.2),
            "strands_db": (0.0, 0.2),
        }
    ),
}
"""By name; the first four are to train on."""


def with_physics(
    rng: np.random.Generator, name: str, *, optics: Optics, vessel: Vessel
) -> tuple[Optics, Vessel]:
    """Return optics and vessel as they are under other physics; the anatomy stays."""
    physics = PHYSICS[name]
    drawn = {key: float(rng.uniform(*ends)) for key, ends in physics.optics.items()}
    brighter_db = float(rng.uniform(*physics.calcium_db))
    steeper = float(rng.uniform(*physics.attenuation))

    def deposit(one: Deposit) -> Deposit:
        return replace(
            one,
            brightness_db=min(one.brightness_db + brighter_db, _PALEST_CALCIUM_DB),
            mu_t_per_mm=one.mu_t_per_mm * steeper,
        )

    def feature(one: Feature) -> Feature:
        return replace(one, mu_t_per_mm=one.mu_t_per_mm * steeper)

    return replace(optics, **drawn), replace(
        vessel,
        deposits=tuple(deposit(one) for one in vessel.deposits),
        features=tuple(feature(one) for one in vessel.features),
    )
