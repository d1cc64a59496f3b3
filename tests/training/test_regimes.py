import pytest

from calcviewer.core.errors import CalcViewerError
from calcviewer.simulation import PullbackSpec, simulate_pullback
from calcviewer.training.generate import GenerateSettings, voi_seeds
from calcviewer.training.regimes import (
    EVERYTHING,
    REGIMES,
    DrawnVoi,
    Selection,
    parse_choice,
    regimes_of,
)


def drawn(seed=1, *, frames=range(20, 30), exported=False, **spec):
    pullback = simulate_pullback(PullbackSpec(seed=seed, frames=120, **spec))
    return DrawnVoi(pullback, frames, exported)


@pytest.mark.parametrize("seed", range(25))
def test_every_voi_has_known_values_of_every_regime(seed):
    found = regimes_of(drawn(seed))
    assert set(found) == set(REGIMES)
    for name, values in found.items():
        assert values
        assert set(values) <= set(REGIMES[name].values)


def test_regimes_follow_what_was_drawn():
    found = regimes_of(drawn(calcium=0.0, guidewires=2, stent=True, field_radius_mm=3.0))
    assert found["calcium"] == ("none",)
    assert found["guidewires"] == ("2",)
    assert found["field"] == ("cut",)
    assert found["path"] == ("lin",)
    assert found["physics"] == ("fitted",)
    assert regimes_of(drawn(exported=True))["path"] == ("export",)
    assert regimes_of(drawn(field_radius_mm=float("inf")))["field"] == ("whole",)
    rings = regimes_of(drawn(calcium=1.0, calcium_forms=("ring",), frames=range(120)))
    assert rings["calcium"] == ("ring",)


def test_only_what_meets_the_frames_counts():
    whole = drawn(calcium=0.3, frames=range(120))
    deposits = whole.pullback.vessel.deposits
    first_mm = min(one.start_mm for one in deposits)
    before = range(max(1, int(first_mm / 0.2)))
    assert regimes_of(whole)["calcium"] != ("none",)
    if first_mm > 0.4:
        assert regimes_of(drawn(calcium=0.3, frames=before))["calcium"] == ("none",)


def test_noise_splits_where_it_says():
    values = {regimes_of(drawn(seed))["noise"][0] for seed in range(12)}
    assert values == {"low", "high"}
    for seed in range(12):
        voi = drawn(seed)
        assert (voi.pullback.optics.noise_db >= -33) == (regimes_of(voi)["noise"] == ("high",))


def test_selections():
    regimes = {"noise": ("low",), "calcium": ("nodule", "sheet")}
    assert EVERYTHING.accepts({})
    assert Selection(only=(("calcium", "nodule"), ("noise", "low"))).accepts(regimes)
    assert not Selection(only=(("calcium", "ring"),)).accepts(regimes)
    assert not Selection(without=(("calcium", "nodule"),)).accepts(regimes)
    assert Selection(without=(("calcium", "nodule"),)).accepts({})


def test_choices_are_checked():
    assert parse_choice("noise=high") == ("noise", "high")
    assert parse_choice("wall=side branch") == ("wall", "side branch")
    with pytest.raises(CalcViewerError, match="names: noise"):
        parse_choice("colour=red")
    with pytest.raises(CalcViewerError, match="Values: low, high"):
        parse_choice("noise=loud")


def test_held_out_and_selected_seeds_share_nothing_and_miss_nothing():
    def seeds(**selection):
        settings = GenerateSettings(vois=8, frames_per_voi=2, selection=Selection(**selection))
        return voi_seeds(settings)

    quiet, noisy = seeds(only=(("noise", "low"),)), seeds(without=(("noise", "low"),))
    assert len(quiet) == len(noisy) == 8
    assert not set(quiet) & set(noisy)
    last = min(quiet[-1], noisy[-1])
    assert {seed for seed in (*quiet, *noisy) if seed <= last} == set(range(last + 1))
    assert voi_seeds(GenerateSettings(vois=3, seed=2)) == [2_000_000, 2_000_001, 2_000_002]


def test_what_never_happens_is_refused(monkeypatch):
    never = Selection(only=(("path", "lin"), ("path", "export")))
    with pytest.raises(CalcViewerError, match="Only 0 of 200"):
        voi_seeds(GenerateSettings(vois=1, frames_per_voi=1, selection=never))
