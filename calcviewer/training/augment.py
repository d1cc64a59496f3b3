"""Augmentation of polar frames: where structures lie, and how a scanner shows them.

The theta shift is the paper's (Gharaibeh 2019, section 2.1, Fig. 1). The rest makes the network
indifferent to what differs between scanners and exports: gain, window, gamma, roll-off, noise,
calibration of the radius, the rim of the field, and the 8-bit export with its black clipped.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from calcviewer.app.voi_file import IGNORE, label_beyond

Image = NDArray[np.float32]
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the augmentation; a pair is drawn uniformly between its ends.

    Lengths are fractions of the depth of the frame, intensities fractions of full scale.
    ``turn_whole_frames`` turns each frame by any angle, as the paper did to Cartesian frames,
    instead of cutting frames anew out of the spiral.
    """

    theta_shift_a_lines: int = 100
    theta_shifts: int = 5
    turn_whole_frames: bool = False
    flip_probability: float = 0.5
    radial_scale: tuple[float, float] = (0.9, 1.1)
    radial_shift: tuple[float, float] = (-0.015, 0.015)
    gain: tuple[float, float] = (0.75, 1.35)
    level: tuple[float, float] = (-0.12, 0.12)
    gamma: tuple[float, float] = (0.7, 1.45)
    roll_off: tuple[float, float] = (-0.1, 0.2)
    noise: tuple[float, float] = (0.0, 0.05)
    noise_sigma_px: float = 1.25
    black_clip_probability: float = 0.4
    black_clip_quantile: tuple[float, float] = (0.05, 0.5)
    field_cut_probability: float = 0.5
    field_radius: tuple[float, float] = (0.6, 1.0)


DEFAULT = Augmentation()


def suited_to(augmentation: Augmentation | None, geometry: str) -> Augmentation | None:
    """Return an augmentation as frames of a geometry need it; None stays none."""
    if augmentation is None or geometry == "polar":
        return augmentation
    return replace(augmentation, turn_whole_frames=True)


def cut_frame(
    images: NDArray[np.float16], labels: Labels, *, frame: int, offset: int
) -> tuple[Image, Labels]:
    """Cut a whole turn that starts ``offset`` A-lines into ``frame`` (Gharaibeh 2019, Fig. 1).

    The turn ends in the next frame, as if all frames were one long array. The last frame of a VOI
    has no successor and is closed on itself.

    Parameters
    ----------
    images, labels
        [frame, a_line, sample].
    """
    following = min(frame + 1, len(images) - 1)
    image = np.concatenate([images[frame, offset:], images[following, :offset]])
    label = np.concatenate([labels[frame, offset:], labels[following, :offset]])
    return image.astype(np.float32), label


def augment(
    image: Image, labels: Labels, rng: np.random.Generator, *, settings: Augmentation
) -> tuple[Image, Labels]:
    """Draw one variant of a frame [a_line, sample]; the inputs are not changed."""
    if rng.random() < settings.flip_probability:
        image, labels = image[::-1], labels[::-1]
    image, labels = move_radially(
        image,
        labels,
        scale=rng.uniform(*settings.radial_scale),
        shift=rng.uniform(*settings.radial_shift),
    )
    image = change_tone(image, rng, settings)
    if rng.random() < settings.black_clip_probability:
        image = clip_black(image, rng.uniform(*settings.black_clip_quantile))
    image = np.round(np.clip(image, 0, 1) * 255) / np.float32(255)
    if rng.random() < settings.field_cut_probability:
        image, labels = cut_field(image, labels, rng.uniform(*settings.field_radius))
    return np.ascontiguousarray(image, dtype=np.float32), np.ascontiguousarray(labels)


def move_radially(
    image: Image, labels: Labels, *, scale: float, shift: float
) -> tuple[Image, Labels]:
    """Stretch the depth axis by ``scale`` and move it outward by ``shift`` of its length.

    Samples from before the first one repeat it (the lumen); those beyond the last are black and
    ignored.
    """
    samples = image.shape[1]
    source = (np.arange(samples) + 0.5 - shift * samples) / scale - 0.5
    inside = source <= samples - 1
    source = np.clip(source, 0, samples - 1)
    low = np.minimum(source.astype(np.intp), samples - 2)
    weight = (source - low).astype(np.float32)
    moved = image[:, low] * (1 - weight) + image[:, low + 1] * weight
    moved_labels = labels[:, np.round(source).astype(np.intp)]
    moved[:, ~inside] = 0
    moved_labels[:, ~inside] = IGNORE
    return moved, moved_labels


def change_tone(image: Image, rng: np.random.Generator, settings: Augmentation) -> Image:
    """Vary gain, level, gamma, roll-off over the depth, and add speckle-sized noise."""
    depth = np.linspace(0, 1, image.shape[1], dtype=np.float32)
    centre = image.mean()
    toned = (image - centre) * rng.uniform(*settings.gain) + centre
    toned = toned + rng.uniform(*settings.level) - rng.uniform(*settings.roll_off) * depth
    toned = np.clip(toned, 0, 1) ** rng.uniform(*settings.gamma)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    noise = gaussian_filter(noise, settings.noise_sigma_px, mode="wrap")
    strength = rng.uniform(*settings.noise) / max(float(noise.std()), 1e-6)
    return np.asarray(toned + strength * noise, dtype=np.float32)


def clip_black(image: Image, quantile: float) -> Image:
    """Make the darkest ``quantile`` of the frame pure black and stretch the rest.

    Exports to 8 bit with a narrow window do this: their lumen is exactly 0.
    """
    # A sixteenth of the pixels fixes the quantile well enough, in a sixteenth of the time.
    black = min(float(np.quantile(image[::4, ::4], quantile)), 0.9)
    return np.asarray((image - black) / (1 - black), dtype=np.float32)


def cut_field(image: Image, labels: Labels, radius: float) -> tuple[Image, Labels]:
    """Black out all beyond ``radius`` (a fraction of the depth), as a round field of view does."""
    first = round(radius * image.shape[1])
    image = image.copy()
    image[:, first:] = 0
    return image, label_beyond(labels, first)
