"""Whether this computer can draw with OpenGL."""

from __future__ import annotations

import importlib

from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

_OLDEST = (2, 1)
_WITHOUT_OPENGL = ("offscreen", "minimal")


def why_no_opengl() -> str:
    """Return why nothing can be drawn with OpenGL; empty when it can."""
    if QGuiApplication.platformName() in _WITHOUT_OPENGL:
        return "no display"
    context = QOpenGLContext()
    if not context.create():
        return "no OpenGL driver"
    surface = QOffscreenSurface()
    surface.create()
    if not context.makeCurrent(surface):
        return "the OpenGL driver does not work"
    version = context.format().version()
    context.doneCurrent()
    if version < _OLDEST:
        return f"OpenGL {version[0]}.{version[1]} is too old"
    try:
        importlib.import_module("pyqtgraph.opengl")
    except Exception as error:  # it loads the driver's library: what fails in there depends on it
        return str(error) or type(error).__name__
    return ""
