"""Guidewire shadows along a pullback: the same wire from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calcviewer.core.geometry import FULL_CIRCLE_DEG, Arc, join_arcs

Track = dict[int, Arc]
"""One wire: its sector by frame, in the order of frames."""

# A rotation that slips, or a fast stretch, moves a wire this far in a frame;
# each frame in which it was not found adds a few degrees.
_LARGEST_JUMP_DEG = 20.0
_DRIFT_DEG = 3.0
_LONGEST_GAP = 8
_SURE_FRAMES = 3
_AROUND_TRACK = 2
_SUDDEN_CHANGE_DEG = 8.0


def track_guidewires(found: Mapping[int, Sequence[Arc]]) -> dict[int, tuple[Arc, ...]]:
    """Make the sectors found frame by frame consistent along the pullback.

    A wire drifts slowly. Sectors seen in a frame or two only are dropped, sectors missed in up to
    8 frames are interpolated, and one that is much wider or narrower than in both neighbouring
    frames takes its size from them. Frames that are not known yet count neither for nor against
    a wire, so that the answer for a part of the pullback may change as the rest arrives.

    Parameters
    ----------
    found
        Result of `find_guidewires` by 0-based frame index, for the frames known so far.

    Returns
    -------
    The sectors of the same frames.
    """
    frames = sorted(found)
    sectors: dict[int, list[Arc]] = {frame: [] for frame in frames}
    for track in _tracks(found, frames):
        if not _is_persistent(track, frames):
            continue
        steady = _without_sudden_changes(track)
        hits = list(steady)
        for frame in frames[frames.index(hits[0]) : frames.index(hits[-1]) + 1]:
            sectors[frame].append(steady.get(frame) or _between(steady, hits, frame))
    return {frame: join_arcs(arcs) for frame, arcs in sectors.items()}


def _tracks(found: Mapping[int, Sequence[Arc]], frames: Sequence[int]) -> list[Track]:
    """Link sectors of neighbouring frames, the nearest first."""
    finished: list[Track] = []
    running: list[Track] = []
    for frame in frames:
        ended = [track for track in running if frame - max(track) > _LONGEST_GAP + 1]
        finished += ended
        running = [track for track in running if track not in ended]
        pairs = sorted(
            (abs(_turn_deg(arc.centre_deg, track[max(track)].centre_deg)), t, a)
            for t, track in enumerate(running)
            for a, arc in enumerate(found[frame])
        )
        free_tracks, free_arcs = set(range(len(running))), set(range(len(found[frame])))
        for distance, t, a in pairs:
            reach = _LARGEST_JUMP_DEG + _DRIFT_DEG * (frame - max(running[t]) - 1)
            if t in free_tracks and a in free_arcs and distance <= reach:
                running[t][frame] = found[frame][a]
                free_tracks.remove(t)
                free_arcs.remove(a)
        running += [{frame: found[frame][a]} for a in sorted(free_arcs)]
    return finished + running


def _turn_deg(angle_deg: float, from_deg: float) -> float:
    """Return the signed turn from one angle to another, in [-180, 180)."""
    half = FULL_CIRCLE_DEG / 2
    return (angle_deg - from_deg + half) % FULL_CIRCLE_DEG - half


def _is_persistent(track: Track, frames: Sequence[int]) -> bool:
    """Whether a wire was found often enough, given the frames known in and around it."""
    first, last = min(track) - _AROUND_TRACK, max(track) + _AROUND_TRACK
    missed = sum(first <= frame <= last for frame in frames) - len(track)
    return len(track) >= _SURE_FRAMES or len(track) > missed


def _without_sudden_changes(track: Track) -> Track:
    """Give sectors whose size departs from that of both neighbours the place in between."""
    hits = list(track)
    steady = dict(track)
    for before, frame, after in zip(hits, hits[1:], hits[2:], strict=False):
        if after - before > _AROUND_TRACK * 2:
            continue
        neighbours = track[before].extent_deg, track[after].extent_deg
        extent = track[frame].extent_deg
        change = min(abs(extent - neighbour) for neighbour in neighbours)
        if change > _SUDDEN_CHANGE_DEG > abs(neighbours[0] - neighbours[1]):
            steady[frame] = _between(track, [before, after], frame)
    return steady


def _between(track: Track, hits: Sequence[int], frame: int) -> Arc:
    """Interpolate a sector linearly between the nearest frames of a track around it."""
    before = max(hit for hit in hits if hit < frame)
    after = min(hit for hit in hits if hit > frame)
    part = (frame - before) / (after - before)
    first, second = track[before], track[after]
    turn = _turn_deg(second.start_deg, first.start_deg)
    extent = first.extent_deg + part * (second.extent_deg - first.extent_deg)
    return Arc(first.start_deg + part * turn, extent)
