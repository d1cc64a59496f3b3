from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import map_coordinates

from calcviewer.dicom.ivoct_writer import console_palette
from calcviewer.modalities.ivoct.field import find_field, whole_field
from calcviewer.modalities.ivoct.gold import (
    frame_drawings,
    gold_table,
    grey_table,
    invert_palette,
    inverter,
    is_one_ramp,
    measure_ramp,
    patch,
    ramp_of_table,
)
from calcviewer.modalities.ivoct.vendor_rules import GOLD_ANCHORS, PALETTE_RAMP
from tests.dicom.samples import cross_sections

REAL = Path(__file__).parents[4] / "shared" / "data" / "ivoct-real-001" / "frames"
CYAN, YELLOW, WHITE = (60, 200, 210), (235, 225, 80), (255, 255, 255)


def copper_table() -> NDArray[np.uint8]:
    """A ramp of another console: neither gold nor grey."""
    x = np.linspace(0, 1, 256)
    return np.rint(255 * np.stack([np.sqrt(x), x, x**3], axis=1)).astype(np.uint8)


def with_cut_line(rgb: NDArray[np.uint8], turn_deg: float = 0.0) -> NDArray[np.uint8]:
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    size = rgb.shape[0]
    middle = (size - 1) / 2
    direction = np.array([np.cos(np.deg2rad(65 + turn_deg)), np.sin(np.deg2rad(65 + turn_deg))])
    for sign, colour in ((1, YELLOW), (-1, CYAN)):
        end = middle + sign * 0.45 * size * direction
        draw.line([(middle, middle), tuple(end)], fill=colour, width=1)
        for part in (0.15, 0.35):
            x, y = middle + sign * part * size * direction
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
    return np.asarray(image)


def test_gold_table_meets_its_anchors() -> None:
    table = gold_table()
    assert table.shape == (256, 3)
    for position, colour in GOLD_ANCHORS:
        exact = position * 255
        low, high = table[int(np.floor(exact))], table[int(np.ceil(exact))]
        assert np.all(np.minimum(low, high) <= np.array(colour) + 1)
        assert np.all(np.maximum(low, high) >= np.array(colour) - 1)


def test_gold_table_is_inverted_to_its_index() -> None:
    ramp = ramp_of_table(gold_table(), "gold")
    found = ramp.positions(gold_table()[None])[0]
    assert np.abs(found - np.arange(256)).max() < 1.0
    assert np.hypot(*ramp.distance(gold_table())).max() < 2.0


@pytest.mark.parametrize(("table", "name"), [(gold_table(), "gold"), (grey_table(), "grey")])
def test_known_tables_are_recognised(table: NDArray[np.uint8], name: str) -> None:
    index = np.random.default_rng(0).integers(0, 256, 20_000)
    assert measure_ramp(table[index]).name == name


def test_an_unknown_ramp_is_measured_and_grows_with_intensity() -> None:
    rng = np.random.default_rng(0)
    index = np.clip(rng.gamma(2, 40, 60_000), 0, 255).astype(int)
    noisy = np.clip(copper_table()[index] + rng.normal(0, 4, (60_000, 3)), 0, 255)
    ramp = measure_ramp(noisy.astype(np.uint8))
    assert ramp.name == "measured"
    # Compared over the colours that are well populated.
    found = ramp.positions(copper_table()[None])[0][:200]
    length = np.cumsum(np.linalg.norm(np.diff(copper_table()[:200].astype(float), axis=0), axis=1))
    assert np.all(np.diff(found) >= 0)
    # Above the darkest colours, which noise bends, the position is the arc length.
    scale = np.polyfit(length[20:], found[21:], 1)
    assert np.abs(np.polyval(scale, length[20:]) - found[21:]).max() < 4


@pytest.mark.parametrize("table", [gold_table(), copper_table()], ids=["gold", "measured"])
@pytest.mark.parametrize("count", [1, 9], ids=["single frame", "pullback"])
def test_cut_line_and_dots_are_masked_and_filled(table: NDArray[np.uint8], count: int) -> None:
    grey = cross_sections(count, size=240)
    clean = [table[frame] for frame in grey]
    drawn = [with_cut_line(frame) for frame in clean]
    field = find_field(drawn)
    assert field is not None
    inverse = inverter(drawn, field.mask((240, 240)))
    changed = np.any(drawn[0] != clean[0], axis=-1)
    # Cyan and yellow alike: nothing drawn is left, and little else is touched.
    assert (inverse.drawings & changed).sum() >= 0.97 * changed.sum()
    assert inverse.drawings.sum() < 12 * changed.sum()
    filled = inverse.intensity(drawn[0])
    truth = inverse.ramp.positions(clean[0])
    inside = field.mask((240, 240))
    untouched = inside & ~inverse.drawings
    np.testing.assert_allclose(filled[untouched], truth[untouched], atol=1e-4)
    error = np.abs(filled - truth)[changed & inside]
    assert np.median(error) < 25
    # The line is gone on average, not only pixel by pixel.
    bias = (filled - truth)[changed & inside].mean()
    assert abs(bias) < 6


def test_a_line_that_moves_between_frames_is_found_in_each() -> None:
    clean = [gold_table()[frame] for frame in cross_sections(9, size=240)]
    drawn = [with_cut_line(frame, 17.0 * k) for k, frame in enumerate(clean)]
    field = whole_field(240, 240)
    inverse = inverter(drawn, field.mask((240, 240)))
    for frame, shown in zip(clean, drawn, strict=True):
        changed = np.any(shown != frame, axis=-1) & field.mask((240, 240))
        truth = inverse.ramp.positions(frame)
        assert abs((inverse.intensity(shown) - truth)[changed].mean()) < 8
        assert (inverse.ramp.positions(shown) - truth)[changed].mean() > 60


def test_undrawn_frames_stay_as_they_are() -> None:
    grey = cross_sections(9, size=200)
    frames = [gold_table()[frame] for frame in grey]
    inside = whole_field(200, 200).mask((200, 200))
    inverse = inverter(frames, inside)
    assert not inverse.drawings.any()
    found = inverse.intensity(frames[3])
    assert np.abs(found - grey[3])[inside].max() < 1.0
    assert found[~inside].max() == 0


def test_text_and_scale_bars_of_one_frame_are_found() -> None:
    frame = gold_table()[cross_sections(1, size=240)[0]]
    image = Image.fromarray(frame)
    ImageDraw.Draw(image).text((90, 160), "1 mm", fill=WHITE)
    ImageDraw.Draw(image).line([(90, 180), (150, 180)], fill=WHITE, width=2)
    drawn = np.asarray(image)
    changed = np.any(drawn != frame, axis=-1)
    mask = frame_drawings(drawn, ramp_of_table(gold_table(), "gold"))
    assert (mask & changed).sum() > 0.9 * changed.sum()


def test_a_line_is_closed_where_its_colour_is_the_ramps() -> None:
    frame = gold_table()[np.full((200, 200), 120, dtype=np.uint8)]
    drawn = frame.copy()
    drawn[100, 20:180] = CYAN
    drawn[100, 90:115] = gold_table()[200]
    mask = frame_drawings(drawn, ramp_of_table(gold_table(), "gold"))
    assert mask[100, 20:180].all()
    assert mask.sum() < 160 * 14


def test_patch_mirrors_across_the_border() -> None:
    values = np.arange(40, dtype=np.float32)[None].repeat(40, axis=0)
    mask = np.zeros((40, 40), dtype=bool)
    mask[:, 18:22] = True
    filled = patch(mask).apply(values.copy())
    np.testing.assert_array_equal(filled[~mask], values[~mask])
    assert filled[20, 18] == 16
    assert filled[20, 21] == 23
    assert set(np.unique(filled[mask])) == {15, 16, 23, 24}


def test_patch_of_nothing_and_of_everything() -> None:
    values = np.ones((4, 4), dtype=np.float32)
    for mask in (np.zeros((4, 4), bool), np.ones((4, 4), bool)):
        np.testing.assert_array_equal(patch(mask).apply(values.copy()), values)


def test_console_palette_is_inverted_through_its_colours() -> None:
    palette = console_palette(gold_table())
    values, drawing, name = invert_palette(palette, PALETTE_RAMP)
    assert name == "gold"
    assert drawing[246:].all()
    assert not drawing[10:246].any()
    expected = np.linspace(0, 255, 236)
    assert np.abs(values[10:246] - expected).max() < 1.5


def test_palette_without_drawing_colours() -> None:
    assert is_one_ramp(gold_table())
    assert not is_one_ramp(console_palette(gold_table()))
    values, drawing, _ = invert_palette(gold_table(), (0, 255))
    assert not drawing.any()
    assert np.abs(values - np.arange(256)).max() < 1.0


def test_a_palette_of_another_console_is_inverted_along_its_own_colours() -> None:
    palette = copper_table()
    palette[250:] = CYAN  # the colour that is drawn with
    intensity, drawing, name = invert_palette(palette, (0, 249))
    assert name == "own"
    assert drawing.tolist() == [index >= 250 for index in range(256)]
    assert intensity[:250].min() == 0
    assert intensity[:250].max() == pytest.approx(255)
    assert (np.diff(intensity[:250]) >= 0).all()
    steps = np.linalg.norm(np.diff(palette[:250].astype(float), axis=0), axis=1)
    assert np.diff(intensity[:250]) == pytest.approx(steps * 255 / steps.sum(), abs=1e-3)


def test_shuffled_palette_follows_colour_not_index() -> None:
    palette = console_palette(copper_table())
    order = np.random.default_rng(0).permutation(np.arange(10, 246))
    shuffled = palette.copy()
    shuffled[10:246] = palette[order]
    values, _, _ = invert_palette(shuffled, PALETTE_RAMP)
    straight, _, _ = invert_palette(palette, PALETTE_RAMP)
    np.testing.assert_allclose(values[10:246], straight[order], atol=1.5)


def test_speed_of_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not asserted: what the machine does meanwhile is not this test's business."""
    drawn = [with_cut_line(gold_table()[frame]) for frame in cross_sections(9, size=750)]
    inverse = inverter(drawn, whole_field(750, 750).mask((750, 750)))
    times_s = []
    for frame in drawn:
        begin = time.process_time()
        inverse.intensity(frame)
        times_s.append(time.process_time() - begin)
    with capsys.disabled():
        print(f"\ncolours of 750 x 750 inverted in {1000 * np.median(times_s):.1f} ms a frame")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real sequence is not on this machine")
def test_real_cut_line_leaves_no_trace() -> None:
    paths = sorted(REAL.glob("*.png"))
    frames = [np.asarray(Image.open(path)) for path in paths[::20]]
    field = find_field(frames)
    assert field is not None
    inverse = inverter(frames, field.mask((750, 750)))
    assert inverse.ramp.name == "measured"
    # Cyan and yellow half of the line, its dots and the arcs: about 1 % of the field.
    assert 5000 < inverse.drawings.sum() < 15000
    mean = np.mean([inverse.intensity(frame) for frame in frames], axis=0)
    for x0, y0, x1, y1 in ((218, 42, 362, 348), (384, 396, 530, 704)):
        length = np.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        along = np.linspace(0, length, 200)[:, None]
        across = np.arange(-16, 17)[None]
        profile = map_coordinates(
            mean, [y0 + along * uy + across * ux, x0 + along * ux - across * uy], order=1
        ).mean(axis=0)
        beside = np.concatenate([profile[:8], profile[-8:]]).mean()
        assert np.abs(profile[10:23] - beside).max() < 0.06 * beside
