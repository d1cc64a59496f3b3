"""Opens every file of a folder as a pullback, and prints what came of it, how long, how large.

Run as a process of its own, whose memory is limited.
"""

from __future__ import annotations

import json
import logging
import re
import resource
import sys
import time
import traceback
from pathlib import Path

from calcviewer.core.errors import CalcViewerError
from calcviewer.modalities.ivoct.read import read_pullback

_LIMIT_BYTES = 4 << 30


def peak_mb() -> float:
    """The most memory this process had since it was last reset."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text()).group(1)) / 1000


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def outcome(path: Path) -> str:
    """ "read", the message of an expected failure, or a traceback."""
    try:
        pullback = read_pullback(path)
    except CalcViewerError as error:
        return f"{error.message} | {error.hint}"
    except BaseException:
        return traceback.format_exc()
    for index in {0, pullback.frame_count - 1}:
        try:
            pullback.frames.display(index)
            pullback.frames.intensity(index)
        except CalcViewerError as error:
            return f"{error.message} | {error.hint}"
        except BaseException:
            return traceback.format_exc()
    return "read"


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_LIMIT_BYTES, _LIMIT_BYTES))
    logging.raiseExceptions = False
    for path in sorted(folder.iterdir()):
        reset_peak()
        begin = time.process_time()
        found = outcome(path)
        line = {
            "name": path.name,
            "outcome": found,
            "seconds": time.process_time() - begin,
            "peak_mb": peak_mb(),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
