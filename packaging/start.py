"""What the packaged program runs: the same as ``python -m calcviewer``."""

from __future__ import annotations

import os
import sys
from multiprocessing import freeze_support


def give_back_library_path() -> None:
    """Let what is started from here find the system's libraries, not the folder's.

    The folder's are loaded by now. A file manager or a browser would not run with them; another
    process of this program finds them again by starting as the first one did.
    """
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    give_back_library_path()
    # A worker process is this program once more; here it becomes one, before anything is imported.
    freeze_support()
    from calcviewer.__main__ import main

    sys.exit(main())
