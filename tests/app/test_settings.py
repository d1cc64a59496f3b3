"""Preferences survive a restart; a damaged file costs no more than the preferences."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calcviewer.app.settings import Settings, load_settings, save_settings, settings_path


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_dir", lambda name: str(tmp_path / name))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    settings = Settings(
        layout=3,
        look_up_table="grey",
        device="cpu",
        crf=False,
        catheter_diameter_mm=0.87,
        window=(1, 2, 1440, 900),
    ).with_recent(tmp_path / "a.dcm")
    save_settings(settings)
    assert load_settings() == (settings, "")


def test_first_start_has_defaults_and_no_note() -> None:
    assert load_settings() == (Settings(), "")


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"null"])
def test_a_damaged_file_gives_defaults_and_a_note(content: bytes) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(content)
    settings, note = load_settings()
    assert settings == Settings()
    assert "settings.json" in note


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layout", 9),
        ("layout", True),
        ("look_up_table", "pink"),
        ("device", "abacus"),
        ("crf", "yes"),
        ("catheter_diameter_mm", -1),
        ("catheter_diameter_mm", "wide"),
        ("recent", [1, 2]),
        ("window", [1, 2]),
        ("model", ""),
    ],
)
def test_a_value_that_cannot_be_used_falls_back_alone(name: str, value: object) -> None:
    save_settings(Settings(layout=4, look_up_table="inverse"))
    stored = json.loads(settings_path().read_text())
    stored[name] = value
    settings_path().write_text(json.dumps(stored))
    settings, note = load_settings()
    assert name in note
    expected = replace(
        Settings(layout=4, look_up_table="inverse"), **{name: getattr(Settings(), name)}
    )
    assert settings == expected


def test_names_this_version_does_not_know_are_left_aside() -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text('{"layout": 2, "future": 1}')
    assert load_settings() == (Settings(layout=2), "")


def test_the_recent_list_has_the_newest_first_and_each_once(tmp_path: Path) -> None:
    settings = Settings()
    for name in ("a", "b", "a"):
        settings = settings.with_recent(tmp_path / name)
    assert settings.recent == (str(tmp_path / "a"), str(tmp_path / "b"))
    for number in range(20):
        settings = settings.with_recent(tmp_path / str(number))
    assert len(settings.recent) == 12


def test_nothing_half_written_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(Settings(layout=2))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    save_settings(Settings(layout=3))
    assert load_settings()[0].layout == 2
    assert [entry.name for entry in settings_path().parent.iterdir()] == ["settings.json"]
