"""The command line as people and programs use it: what it prints, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calcviewer.__main__ import main
from calcviewer.app.labels_file import write_labels
from tests.app.review_store.kept_reviews import edit, opened, pullback_at
from tests.phantoms import GRID, PITCH_MM, label_map

ANALYSIS_FILES = {
    "analysis.json",
    "contours.bin",
    "frames.csv",
    "labels.npz",
    "lesions.csv",
    "report.pdf",
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    assert main(["simulate", "-o", str(folder), "--seed", "4", "--frames", "3"]) == 0
    return folder


@pytest.fixture(scope="module")
def analysed(simulated: Path) -> Path:
    folder = simulated / "analysis"
    assert main(["analyze", str(simulated / "pullback.dcm"), "-o", str(folder)]) == 0
    return folder


def write_phantom(path: Path, maps: list[np.ndarray], pitch_mm: float | None = PITCH_MM) -> Path:
    write_labels(path, maps, grid=GRID, frame_count=len(maps), frame_pitch_mm=pitch_mm)
    return path


def measured(capsys: pytest.CaptureFixture[str], path: Path) -> dict:
    capsys.readouterr()
    assert main(["measure", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_display")
def test_without_a_display_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    printed = capsys.readouterr()
    assert "there is no display" in printed.err
    assert "analyze" in printed.out


@pytest.mark.usefixtures("no_display")
def test_a_study_alone_asks_for_the_window(
    simulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(simulated / "pullback.dcm")]) == 1
    assert "there is no display" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["analyze"],
        ["analyze", "x", "-o", "y", "--voi", "9:2"],
        ["analyze", "x", "-o", "y", "--frame-pitch", "-1"],
        ["analyze", "x", "-o", "y", "--device", "tpu"],
        ["simulate", "-o", "x", "--frames", "0"],
    ],
)
def test_bad_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["analyze", "segment"])
def test_a_missing_input_is_1_with_one_line(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, str(tmp_path / "none.dcm"), "-o", str(tmp_path / "out")]) == 1
    reason = [line for line in capsys.readouterr().err.splitlines() if "calcviewer:" in line]
    assert len(reason) == 1
    assert "none.dcm" in reason[0]
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_is_named(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["analyze", str(simulated / "pullback.dcm"), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--model", "none"]) == 1
    assert "none is not a model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_simulate_writes_pullback_and_truth(simulated: Path) -> None:
    truth = json.loads((simulated / "truth.json").read_text())
    assert truth["simulated"] is True
    assert len(truth["frames"]) == 3
    assert truth["analysis"]["calibration"]["sample_spacing_mm"]["origin"] == "simulated"
    assert np.load(simulated / "labels.npz")["labels"].shape == (3, 480, 960)


def test_measure_agrees_with_the_simulators_truth(
    simulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = json.loads((simulated / "truth.json").read_text())["analysis"]["frames"]
    for from_labels, exact in zip(
        measured(capsys, simulated / "labels.npz")["frames"], truth, strict=True
    ):
        assert from_labels["lumen_area_mm2"] == pytest.approx(exact["lumen_area_mm2"], rel=0.01)
        assert from_labels["max_arc_deg_visible"] == pytest.approx(
            exact["max_arc_deg_visible"], abs=1.5
        )


def test_analyze_writes_everything(analysed: Path) -> None:
    assert {path.name for path in analysed.iterdir()} == ANALYSIS_FILES
    document = json.loads((analysed / "analysis.json").read_text())
    assert document["format"] == "calcviewer-analysis"
    assert document["model"]["provider"] == "CPUExecutionProvider"
    assert [frame["frame"] for frame in document["frames"]] == [1, 2, 3]
    assert (analysed / "report.pdf").read_bytes().startswith(b"%PDF")


def test_measuring_the_written_labels_gives_the_analysis_again(
    analysed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((analysed / "analysis.json").read_text())
    again = measured(capsys, analysed / "labels.npz")
    for name in ("lumen_area_mm2", "calcium_area_mm2"):
        before = [frame[name] for frame in document["frames"]]
        after = [frame[name] for frame in again["frames"]]
        assert after == pytest.approx(before, rel=0.02, abs=0.02)
    assert "model" not in again
    assert "pullback" not in again


def test_a_volume_of_interest_limits_the_analysis(simulated: Path, tmp_path: Path) -> None:
    arguments = ["analyze", str(simulated / "pullback.dcm"), "-o", str(tmp_path), "--voi", "2:3"]
    assert main([*arguments, "--no-crf"]) == 0
    document = json.loads((tmp_path / "analysis.json").read_text())
    assert document["voi"] == [2, 3]
    assert [frame["frame"] for frame in document["frames"]] == [2, 3]


def test_a_volume_of_interest_outside_is_refused(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["analyze", str(simulated / "pullback.dcm"), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--voi", "2:9"]) == 1
    assert "3 frames" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pullback.dcm", "presentation.dcm"])
def test_segment_keeps_the_source_grid(simulated: Path, tmp_path: Path, name: str) -> None:
    assert main(["segment", str(simulated / name), "-o", str(tmp_path)]) == 0
    written = sorted((tmp_path / "labels").iterdir())
    assert [path.name for path in written] == [f"frame_{k:04d}.png" for k in (1, 2, 3)]
    labels = np.asarray(Image.open(written[0]))
    assert labels.dtype == np.uint8
    assert labels.shape == ((480, 960) if name == "pullback.dcm" else (1024, 1024))
    assert (labels == 1).any()
    assert labels.max() <= 3


def test_segment_names_files_after_their_frames(simulated: Path, tmp_path: Path) -> None:
    labels = np.load(simulated / "labels.npz")["labels"]
    frames = tmp_path / "frames"
    frames.mkdir()
    for name, one in zip(("b_10", "b_9"), labels, strict=False):
        Image.fromarray((one * 60 + 20).astype(np.uint8)).save(frames / f"{name}.png")
    assert main(["segment", str(frames), "-o", str(tmp_path / "out"), "--geometry", "polar"]) == 0
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == {
        "b_9.png",
        "b_10.png",
    }


def test_the_guidewire_case_of_the_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fig. 8: two deposits beside a wire are 146 degrees and score 2, bridged 227 and score 4."""
    frame = label_map((10, 146), (190, 47), wire=(156, 34))
    path = write_phantom(tmp_path / "labels.npz", [frame] * 30)
    (lesion,) = measured(capsys, path)["lesions"]
    assert lesion["visible"]["max_arc_deg"] == pytest.approx(146, abs=1)
    assert lesion["visible"]["score"] == 2
    assert lesion["bridged"]["max_arc_deg"] == pytest.approx(227, abs=1)
    assert lesion["bridged"]["score"] == 4
    assert lesion["guidewire_decides"] is True


def test_measure_says_what_a_missing_pitch_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_phantom(tmp_path / "labels.npz", [label_map((10, 90))] * 5, pitch_mm=None)
    document = measured(capsys, path)
    assert document["missing"] == ["frame pitch"]
    (lesion,) = document["lesions"]
    assert lesion["length_mm"] is None
    assert lesion["visible"]["score"] is None
    assert lesion["visible"]["missing"] == ["length"]
    assert main(["measure", str(path)]) == 0
    assert "frame pitch is unknown" in capsys.readouterr().out


def test_history_of_a_review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pullback = pullback_at(tmp_path)
    with opened(pullback) as (session, store):
        edit(session, 0, 1.0)
        path = store.path
    target = tmp_path / "history.csv"
    assert main(["history", str(path), "-o", str(target)]) == 0
    capsys.readouterr()
    assert main(["history", str(path)]) == 0
    assert capsys.readouterr().out == target.read_text(encoding="utf-8")
    assert target.read_text(encoding="utf-8").splitlines()[0].startswith("step,when,who,action")


def test_models_are_what_their_cards_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--verify", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    assert "segnet-cpu" in {model["name"] for model in models}
    assert all(model["fault"] == "" for model in models)


def test_a_folder_called_like_a_verb_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["models"]) == 0
    assert capsys.readouterr().out.startswith("segnet-cpu ")


def test_benchmark_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {
        "frame_ms",
        "network_ms",
        "crf_ms",
        "frames_per_s",
        "pullback_540_s",
        "cores_used",
        "cores",
        "provider",
        "peak_mb",
    }
    assert figures["frame_ms"] >= figures["network_ms"] > 0


def test_exported_results_give_the_score_again(
    analysed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(analysed), "--seg", "--sr", "--pdf", "--nifti", "-o", str(tmp_path)]
    assert main(arguments) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"pullback{end}" for end in (".seg.dcm", ".sr.dcm", ".pdf.dcm", ".nii.gz")}
    document = json.loads((analysed / "analysis.json").read_text())
    again = measured(capsys, tmp_path / "pullback.seg.dcm")
    assert again["lesions"] == document["lesions"]
    assert again["frames"] == document["frames"]
    volume = measured(capsys, tmp_path / "pullback.nii.gz")
    assert len(volume["frames"]) == len(document["frames"])


def test_export_says_what_is_wrong(
    analysed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(analysed), "-o", str(tmp_path / "out")]) == 1
    assert "Nothing was chosen" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--seg", "-o", str(tmp_path / "out")]) == 1
    assert str(tmp_path) in capsys.readouterr().err
