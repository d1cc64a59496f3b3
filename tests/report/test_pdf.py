from __future__ import annotations

import errno
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pypdf import PageObject, PdfReader

from calcviewer.core.annotation import FrameAnnotation
from calcviewer.core.contour import Contour
from calcviewer.core.errors import CalcViewerError
from calcviewer.core.geometry import Arc, to_xy
from calcviewer.report.content import (
    RESEARCH_USE,
    CalciumMap,
    Criterion,
    Flag,
    KeyFrame,
    LesionSection,
    Longitudinal,
    PullbackAxis,
    ReportContent,
    Row,
    Standing,
    Table,
    Tone,
    Trend,
)
from calcviewer.report.pdf import render_report, shortened, write_report
from calcviewer.report.style import BOLD, register_fonts

FRAMES = 24
LONG_NAME = "Left_anterior_descending_artery_before_predilatation_and_after_" * 3


def circle(radius_mm: float) -> Contour:
    angles = np.arange(0, 360, 4.0)
    return Contour(to_xy(angles, np.full_like(angles, radius_mm)))


def key_frame(title: str = "Maximum arc", frame: int = 6) -> KeyFrame:
    ring = Contour(circle(2.2).points_mm, (circle(1.7).points_mm,))
    return KeyFrame(
        title=title,
        frame=frame,
        caption="arc 226° visible, 226° bridged · lumen 6.41 mm²",
        cross_section=np.zeros((40, 40, 3), dtype=np.uint8),
        polar=np.zeros((40, 80, 3), dtype=np.uint8),
        radius_mm=3.0,
        annotation=FrameAnnotation(circle(1.5), (ring,), (Arc(350, 20),)),
        scale_known=True,
        centre_mm=(0.1, 0.0),
        arc=Arc(300, 226),
    )


def lesion(number: int = 1, **changes: object) -> LesionSection:
    made = LesionSection(
        number=number,
        first_frame=5,
        last_frame=9,
        reviewed=False,
        score="3",
        verdict="adequate expansion",
        criteria=(
            Criterion(
                "Maximum arc",
                "226°",
                "> 180°",
                "+46°",
                "2 of 2",
                Standing.SCORES,
                "frame 7",
                "the same visible and bridged",
            ),
            Criterion("Length", "4.80 mm", "> 5 mm", "−0.20 mm", "0 of 1", Standing.ZERO),
        ),
        guidewire="The guidewire does not decide.",
        measurements=(Row("Thickness, max", "0.93 mm"), Row("Lumen, min", "6.41 mm²", "fr. 7")),
        key_frames=(key_frame(),),
        comments=("Comment on frame 7: clear.",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def content(*lesions: LesionSection, frames: int = FRAMES, **changes: object) -> ReportContent:
    values = np.linspace(10.0, 200.0, frames)
    values[frames // 2 :][:3] = np.nan
    made = ReportContent(
        title="Coronary calcium report",
        name="LAD pullback",
        generated="2026-01-02 03:04",
        program="CalcViewer 9.9",
        reviewed=False,
        simulated=False,
        identification=(Row("Patient", "P-001"),),
        calibration=(Row("Frame pitch", "0.2 mm", "(origin: operator)"),),
        axis=PullbackAxis(
            frames,
            0.2,
            "distal",
            "proximal",
            voi=(0, frames - 1),
            flags=tuple(Flag(0, text, Tone.LUMEN) for text in ("MLA", "max arc", "reference")),
        ),
        lesions=lesions,
        no_lesion_text="" if lesions else "No calcium found.",
        longitudinal=Longitudinal(
            image=np.zeros((20, frames, 3), dtype=np.uint8),
            half_height_mm=3.0,
            cut_deg=90.0,
            scale_known=True,
            lumen_mm=np.full((2, frames), 1.5),
        ),
        calcium_map=CalciumMap(
            thickness_mm=np.full((36, frames), 0.4),
            shadow=np.zeros((36, frames), dtype=np.bool_),
            measured=np.arange(frames) > 1,
            scale_known=True,
        ),
        trends=(Trend("Maximum arc", "°", values, Tone.CALCIUM, 180.0, values, "bridged"),),
        lesion_table=Table("Lesions", ("Lesion", "Length\nmm"), (("1", "4.80"),), "A note."),
        vessel=(Row("Area stenosis", "39 %"),),
        protocol=(Row("Arc, 2 points", "> 180°"),),
        model=(Row("SHA-256", "0123456789abcdef" * 4),),
        notes=("Excluded (blood): frames 3–4.",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def pages(document: bytes) -> list[PageObject]:
    return list(PdfReader(BytesIO(document)).pages)


def words(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in pages(document))


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_everything_that_is_said_is_printed() -> None:
    text = words(render_report(content(lesion())))
    for said in (
        "P-001",
        "0.2 mm (origin: operator)",
        "226°",
        "+46°",
        "2 of 2",
        "−0.20 mm",
        "frame 7",
        "the same visible and bridged",
        "adequate expansion",
        "The guidewire does not decide.",
        "0.93 mm",
        "6.41 mm²",
        "Comment on frame 7: clear.",
        "39 %",
        "> 180°",
        "Excluded (blood): frames 3–4.",
        "A note.",
        "distal",
        "proximal",
        "max arc",
        "not measured",
        "Signature",
    ):
        assert said in text, said
    assert "0123456789abcdef" * 4 in squeezed(text)


def test_every_page_is_numbered_and_disclaims() -> None:
    made = pages(render_report(content(lesion(), lesion(2))))
    assert len(made) == 4
    for number, page in enumerate(made, start=1):
        text = page.extract_text()
        assert f"Page {number} of {len(made)}" in text
        assert RESEARCH_USE in text
        assert "UNREVIEWED" in text


@pytest.mark.parametrize(("size", "points"), [("A4", (595, 842)), ("letter", (612, 792))])
def test_page_sizes(size: str, points: tuple[int, int]) -> None:
    for page in pages(render_report(content(lesion()), page_size=size)):  # type: ignore[arg-type]
        assert (round(page.mediabox.width), round(page.mediabox.height)) == points


def test_fonts_are_embedded_and_no_others_are_used() -> None:
    for page in pages(render_report(content(lesion()))):
        names = set()
        for entry in page["/Resources"]["/Font"].values():  # type: ignore[index]
            font = entry.get_object()
            assert "/FontFile2" in font["/FontDescriptor"]
            names.add(str(font["/BaseFont"]).split("+")[1])
        assert names == {"OpenSans", "OpenSans-Semibold"}


def test_overlays_are_vectors_and_frames_are_images() -> None:
    page = pages(render_report(content(lesion())))[1]
    assert len(page.images) == 2
    assert page.get_contents().get_data().count(b" l") > 300  # type: ignore[union-attr]


@pytest.mark.parametrize("reviewed", [True, False])
def test_stamps(reviewed: bool) -> None:
    text = words(render_report(content(lesion(reviewed=reviewed), reviewed=reviewed)))
    assert ("UNREVIEWED" in text) is not reviewed
    assert "SIMULATED" not in text
    assert "SIMULATED" in words(render_report(content(lesion(), simulated=True)))


def test_the_same_content_gives_the_same_bytes() -> None:
    assert render_report(content(lesion())) == render_report(content(lesion()))


def test_an_open_question_is_printed() -> None:
    asked = lesion(
        score="2 or 4",
        verdict="",
        guidewire="Guidewire decides: 2 or 4.",
        guidewire_decides=True,
        missing=("Length unavailable: the frame pitch is unknown.",),
    )
    text = words(render_report(content(asked)))
    for said in ("2 or 4", "Guidewire decides: 2 or 4.", "the frame pitch is unknown"):
        assert said in text


def test_no_lesion() -> None:
    made = content(lesion_table=None, vessel_key_frames=(key_frame("MLA"),))
    text = words(render_report(made))
    assert "No calcium found." in text
    assert "MLA · frame 7" in text


def test_one_frame_without_calibration_or_pictures() -> None:
    made = content(
        lesion(first_frame=0, last_frame=0, key_frames=()),
        frames=1,
        longitudinal=None,
        calcium_map=None,
        trends=(),
    )
    made = replace(made, axis=PullbackAxis(1, None, "first frame", "last frame"))
    text = words(render_report(made))
    assert "lesion 1 · frame 1" in text
    assert "no mm" in text


@pytest.mark.parametrize("count", [7, pytest.param(30, marks=pytest.mark.slow)])
def test_many_lesions(count: int) -> None:
    lesions = [lesion(number) for number in range(1, count + 1)]
    rows = tuple((str(number), "4.80") for number in range(1, 60))
    table = Table("Lesions", ("Lesion", "Length\nmm"), rows)
    made = pages(render_report(content(*lesions, lesion_table=table)))
    assert count + 2 <= len(made) <= count + 4
    text = "\n".join(page.extract_text() for page in made)
    for number in range(1, count + 1):
        assert f"lesion {number} · frames 6–10" in text


def test_more_key_frames_than_fit_a_page() -> None:
    many = lesion(key_frames=tuple(key_frame(f"View {i}", i) for i in range(20)))
    text = words(render_report(content(many)))
    for index in range(20):
        assert f"View {index} · frame {index + 1}" in text


def test_long_names_are_wrapped_and_not_cut() -> None:
    long = content(lesion(), name=LONG_NAME, identification=(Row("Pullback", LONG_NAME),))
    first = pages(render_report(long))[0].extract_text()
    assert LONG_NAME in squeezed(first)
    assert "…" in pages(render_report(long))[1].extract_text()


def test_markup_in_a_name_is_only_text() -> None:
    odd = content(lesion(), identification=(Row("Patient", "<b>A & B</b>"),))
    assert "<b>A & B</b>" in words(render_report(odd))


def test_shortened_keeps_both_ends() -> None:
    register_fonts()
    assert shortened("short", BOLD, 8, 500) == "short"
    cut = shortened("beginning of it all and the end", BOLD, 8, 60)
    assert cut.startswith("beg")
    assert cut.endswith("nd")
    assert "…" in cut


def test_written_whole_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    target.write_bytes(b"older")
    write_report(content(lesion()), target)
    assert target.read_bytes() == render_report(content(lesion()))
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalcViewerError, match="could not be written") as caught:
        write_report(content(lesion()), tmp_path / "none" / "report.pdf")
    assert caught.value.hint


def test_a_full_disk_keeps_the_older_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = tmp_path / "report.pdf"
    target.write_bytes(b"older")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalcViewerError, match="No space left"):
        write_report(content(lesion()), target)
    assert target.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [target]


def test_damage_on_the_way_to_the_disk_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda _path: b"%PDF-1.4 cut short")
    with pytest.raises(CalcViewerError, match="damaged"):
        write_report(content(lesion()), tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []
