"""The words and numbers of the report as tables and paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Paragraph, Spacer
from reportlab.platypus import Table as PdfTable

from calcviewer.report import style
from calcviewer.report.content import Criterion, LesionSection, Row, Standing, Table

_TIGHT = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 6),
    ("TOPPADDING", (0, 0), (-1, -1), 1.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_COLUMNS = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_SCORE_WIDTH_PT = 104.0
_STANDING_FILLS = {Standing.SCORES: style.POINT_FILL, Standing.OPEN: style.WARNING_FILL}
_LABEL_PART = 0.30
_COLUMNS_OF_ROWS = 3


def text(words: str, look: ParagraphStyle = style.BODY) -> Paragraph:
    """Return a paragraph of plain words; long ones break instead of running out of their cell."""
    return Paragraph(escape(words).replace("\n", "<br/>"), look)


def stamp(reviewed: bool) -> str:
    """Return the stamp of a lesion or of the whole report."""
    return "REVIEWED" if reviewed else "UNREVIEWED"


def _grid(
    cells: Sequence[Sequence[Any]],
    widths: Sequence[float],
    looks: Sequence[Any],
    *,
    repeated_rows: int = 0,
) -> PdfTable:
    """Return a table at the left margin."""
    # A table selects its font even where it writes nothing; the default one is not embedded.
    font = ("FONTNAME", (0, 0), (-1, -1), style.REGULAR)
    return PdfTable(
        cells, colWidths=widths, style=[font, *looks], repeatRows=repeated_rows, hAlign="LEFT"
    )


def rows_table(rows: Sequence[Row], width: float, label_part: float = _LABEL_PART) -> PdfTable:
    """Return named values below one another, each with its remark behind it."""
    cells = [
        [
            text(row.label, style.LABEL),
            Paragraph(
                escape(row.value)
                + (
                    f' <font color="{style.QUIET.hexval()}">{escape(row.note)}</font>'
                    if row.note
                    else ""
                ),
                style.BODY,
            ),
        ]
        for row in rows
    ]
    rule = [("LINEBELOW", (0, 0), (-1, -1), 0.4, style.RULE)]
    widths = [label_part * width, (1 - label_part) * width]
    return _grid(cells, widths, [*_TIGHT, *rule])


def side_by_side(
    left: Sequence[Flowable], right: Sequence[Flowable], width: float, gap: float = 16.0
) -> PdfTable:
    """Return two columns of equal width."""
    half = (width - gap) / 2
    cells = [[list(left), "", list(right)]]
    return _grid(cells, [half, gap, half], _COLUMNS)


def data_table(table: Table, width: float) -> list[Flowable]:
    """Return a table with repeated headings; every column but the first is right-aligned."""
    heads = [style.HEADING_CELL, *[style.HEADING_NUMBER] * (len(table.headings) - 1)]
    looks = [style.BODY, *[style.NUMBER] * (len(table.headings) - 1)]
    cells = [[text(word, look) for word, look in zip(table.headings, heads, strict=True)]]
    cells += [
        [text(word, look) for word, look in zip(row, looks, strict=True)] for row in table.rows
    ]
    lines = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, style.QUIET),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, style.RULE),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
    made: list[Flowable] = [
        _grid(cells, _column_widths(table, width), [*_TIGHT, *lines], repeated_rows=1)
    ]
    if table.note:
        made += [Spacer(0, 3), text(table.note, style.SMALL)]
    return made


def _column_widths(table: Table, width: float) -> list[float]:
    """Share the width out by the longest words of each column."""
    longest = [
        max(
            [len(max(head.split("\n"), key=len)) + 1]
            + [min(len(row[column]), 26) for row in table.rows]
        )
        for column, head in enumerate(table.headings)
    ]
    weights = [count + 2 for count in longest]
    return [width * weight / sum(weights) for weight in weights]


def score_block(lesion: LesionSection, width: float) -> list[Flowable]:
    """Return a lesion's score beside its criteria, and below them what a reader must know."""
    block = _grid(
        [[_score_cell(lesion), _criteria_table(lesion.criteria, width - _SCORE_WIDTH_PT - 12)]],
        [_SCORE_WIDTH_PT, width - _SCORE_WIDTH_PT],
        [
            ("BACKGROUND", (0, 0), (0, 0), style.PALE),
            ("VALIGN", (0, 0), (0, 0), "MIDDLE"),
            ("VALIGN", (1, 0), (1, 0), "TOP"),
            ("LEFTPADDING", (0, 0), (0, 0), 6),
            ("RIGHTPADDING", (0, 0), (0, 0), 6),
            ("LEFTPADDING", (1, 0), (1, 0), 12),
            ("RIGHTPADDING", (1, 0), (1, 0), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ],
    )
    return [block, *_warnings(lesion, width)]


def _score_cell(lesion: LesionSection) -> list[Flowable]:
    look = style.SCORE if len(lesion.score) <= 2 else style.SCORE_LONG
    cell: list[Flowable] = [text(lesion.score, look), text("of 4 points", style.CENTRED)]
    if lesion.verdict:
        cell.append(Paragraph(f"<b>{escape(lesion.verdict)}</b>", style.CENTRED))
    if lesion.probability:
        small = ParagraphStyle(
            "centred small", parent=style.SMALL, alignment=style.CENTRED.alignment
        )
        cell.append(text(lesion.probability, small))
    return cell


def _criteria_table(criteria: Sequence[Criterion], width: float) -> PdfTable:
    """Return value, threshold, margin, frame and points of every component of the score."""
    headings = ("Component", "Value", "Threshold", "Margin", "Where", "Points")
    heads = [style.HEADING_CELL, *[style.HEADING_NUMBER] * 5]
    cells: list[list[Flowable | list[Flowable]]] = [
        [text(word, look) for word, look in zip(headings, heads, strict=True)]
    ]
    marks = []
    for number, criterion in enumerate(criteria, start=1):
        name: list[Flowable] = [text(criterion.name)]
        if criterion.note:
            name.append(text(criterion.note, style.SMALL))
        cells.append(
            [
                name,
                Paragraph(f"<b>{escape(criterion.value)}</b>", style.NUMBER),
                text(criterion.threshold, style.NUMBER),
                text(criterion.margin, style.NUMBER),
                text(criterion.where, style.NUMBER),
                Paragraph(_points(criterion), style.NUMBER),
            ]
        )
        fill = _STANDING_FILLS.get(criterion.standing)
        if fill is not None:
            marks.append(("BACKGROUND", (5, number), (5, number), fill))
    widths = [part * width for part in (0.32, 0.145, 0.135, 0.13, 0.15, 0.12)]
    lines = [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, style.QUIET),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, style.RULE),
    ]
    return _grid(cells, widths, [*_TIGHT, *lines, *marks])


def _points(criterion: Criterion) -> str:
    if criterion.standing is Standing.ASIDE:
        return f'<font color="{style.QUIET.hexval()}">({escape(criterion.points)})</font>'
    return f"<b>{escape(criterion.points)}</b>"


def _warnings(lesion: LesionSection, width: float) -> list[Flowable]:
    """Return the guidewire verdict and what is missing; what is open stands on a tinted ground."""
    lines = [(lesion.guidewire, lesion.guidewire_decides)]
    lines += [(missing, True) for missing in lesion.missing]
    cells = [[text(words, style.WARNING_TEXT if open_ else style.BODY)] for words, open_ in lines]
    fills = [
        ("BACKGROUND", (0, row), (0, row), style.WARNING_FILL)
        for row, (_, open_) in enumerate(lines)
        if open_
    ]
    padding = [
        ("LEFTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ("LINEBELOW", (0, -1), (-1, -1), 0.4, style.RULE),
    ]
    return [_grid(cells, [width], [*padding, *fills])]


def measurement_columns(rows: Sequence[Row], width: float) -> PdfTable:
    """Return named values in three columns, filled downwards."""
    height = -(-len(rows) // _COLUMNS_OF_ROWS)
    columns = [rows[start : start + height] for start in range(0, len(rows), height)]
    columns += [()] * (_COLUMNS_OF_ROWS - len(columns))
    gap = 14.0
    each = (width - (_COLUMNS_OF_ROWS - 1) * gap) / _COLUMNS_OF_ROWS
    cells: list[Flowable | str] = []
    widths: list[float] = []
    for column in columns:
        if cells:
            cells.append("")
            widths.append(gap)
        cells.append(rows_table(column, each, label_part=0.54) if column else "")
        widths.append(each)
    return _grid([cells], widths, _COLUMNS)
