"""The OpenGL picture of the 3-D view: two surfaces, a ruler, and a ring at the frame on screen.

Import it only where `why_no_opengl` is empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph.opengl as gl
from numpy.typing import NDArray
from OpenGL import GL
from pyqtgraph.opengl.GLViewWidget import GLViewMixin
from pyqtgraph.opengl.shaders import FragmentShader, ShaderProgram, VertexShader
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QOffscreenSurface,
    QOpenGLContext,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QVector3D,
)
from PySide6.QtOpenGL import QOpenGLFramebufferObject, QOpenGLFramebufferObjectFormat
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from calcviewer.gui import theme
from calcviewer.gui.surface import Mesh, Surfaces, ruler_lines

_ZOOM = 0.88
_FOV_DEG = 30.0
_SAMPLES = 4
_RING_PX = 2.0
# The tube lets the calcium behind it be seen; its rim is denser, so that its form is.
_LUMEN_ALPHA = 0.16
_VERTEX = """
uniform mat4 u_mvp;
uniform mat3 u_normal;
attribute vec4 a_position;
attribute vec3 a_normal;
attribute vec4 a_color;
varying vec4 v_color;
varying vec3 v_normal;
void main() {
    v_normal = u_normal * a_normal;
    v_color = a_color;
    gl_Position = u_mvp * a_position;
}
"""
_FRAGMENT = """
#ifdef GL_ES
precision mediump float;
#endif
varying vec4 v_color;
varying vec3 v_normal;
void main() {
    vec3 n = normalize(v_normal);
    float lit = 0.30 + 0.70 * abs(dot(n, normalize(vec3(-0.35, 0.55, 0.75))));
    float rim = pow(1.0 - abs(n.z), 2.0);
    gl_FragColor = vec4(v_color.rgb * lit, mix(v_color.a, 1.0, 0.55 * rim));
}
"""
_OPAQUE: dict[Any, Any] = {
    GL.GL_DEPTH_TEST: True,
    GL.GL_BLEND: False,
    GL.GL_CULL_FACE: False,
    "glDepthMask": (GL.GL_TRUE,),
}
_GLASS: dict[Any, Any] = {
    GL.GL_DEPTH_TEST: True,
    GL.GL_BLEND: True,
    GL.GL_CULL_FACE: False,
    "glBlendFuncSeparate": (
        GL.GL_SRC_ALPHA,
        GL.GL_ONE_MINUS_SRC_ALPHA,
        GL.GL_ONE,
        GL.GL_ONE_MINUS_SRC_ALPHA,
    ),
    "glDepthMask": (GL.GL_FALSE,),
}


class _View(GLViewMixin, QWidget):  # type: ignore[misc, unused-ignore]
    """A pyqtgraph scene in a widget that paints as all others do.

    pyqtgraph's own widget is a QOpenGLWidget. One of these in a window makes Qt compose the whole
    window with OpenGL, which doubles the time of every frame of every view where OpenGL is done in
    software. Here the picture is drawn beside the screen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        self._context: QOpenGLContext | None = None
        self._buffer: QOpenGLFramebufferObject | None = None
        self._picture: QImage | None = None
        self._ring_mm: NDArray[np.float32] | None = None
        super().__init__(parent)
        self._surface = QOffscreenSurface()
        self._surface.create()
        self.setBackgroundColor(theme.BACKGROUND)
        self.opts["fov"] = _FOV_DEG
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrow keys step through frames

    def context(self) -> QOpenGLContext | None:
        """Return what pyqtgraph draws with."""
        return self._context

    def isValid(self) -> bool:
        """Whether there is something to draw with."""
        return self._context is not None

    def update(self) -> None:  # type: ignore[override]
        """Draw the scene anew: camera or surfaces changed."""
        self._picture = None
        super().update()

    def set_ring(self, points_mm: NDArray[np.float32] | None) -> None:
        """Show a closed ring, ``(N, 3)``, or none."""
        self._ring_mm = points_mm
        super().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Show the scene, and the ring over it."""
        if self._picture is None or self._picture.size() != self.size() * self.devicePixelRatioF():
            self._picture = self._rendered()
        painter = QPainter(self)
        painter.drawImage(self.rect(), self._picture)
        if self._ring_mm is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor("white"), _RING_PX))
            painter.drawPolyline([QPointF(x, y) for x, y in self._on_screen(self._ring_mm)])
        painter.end()

    def _on_screen(self, points_mm: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return where points ``(N, 3)`` lie in the widget, ``(N, 2)`` px."""
        viewport = self.getViewport()
        matrix = self.projectionMatrix(viewport, viewport) * self.viewMatrix()
        by_columns = np.array(matrix.data(), dtype=np.float64).reshape(4, 4)
        clip = np.concatenate([points_mm, np.ones((len(points_mm), 1))], axis=1) @ by_columns
        depth = np.maximum(clip[:, 3:], 1e-6)
        seen = clip[:, :2] / depth * (0.5, -0.5) + 0.5
        return np.asarray(seen * (self.width(), self.height()))

    def _rendered(self) -> QImage:
        if self._context is None:
            context = QOpenGLContext(self)
            context.create()
            context.makeCurrent(self._surface)
            self._context = context
            self.initializeGL()
        self._context.makeCurrent(self._surface)
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._buffer is None or self._buffer.size() != size:
            wanted = QOpenGLFramebufferObjectFormat()
            wanted.setSamples(0 if _in_software() else _SAMPLES)
            wanted.setAttachment(QOpenGLFramebufferObject.Attachment.CombinedDepthStencil)
            self._buffer = QOpenGLFramebufferObject(size, wanted)
        self._buffer.bind()
        GL.glViewport(0, 0, size.width(), size.height())
        # The glass leaves depths unwritten, and so would the clearing of the next picture.
        GL.glDepthMask(GL.GL_TRUE)
        self.paintGL()
        picture = self._buffer.toImage()
        self._buffer.release()
        self._context.doneCurrent()
        return picture


def _in_software() -> bool:
    """Whether no graphics card draws; smooth edges would then take 20 times as long."""
    renderer = GL.glGetString(GL.GL_RENDERER) or b""
    return any(name in renderer.lower() for name in (b"llvmpipe", b"softpipe", b"swiftshader"))


class _MeshData(gl.MeshData):  # type: ignore[misc, unused-ignore]
    """A mesh with the normals it has; pyqtgraph would compute them vertex by vertex."""

    def __init__(self, mesh: Mesh) -> None:
        super().__init__(vertexes=mesh.vertices, faces=mesh.faces)
        self._normals = mesh.normals

    def vertexNormals(self, indexed: str | None = None) -> NDArray[np.float32]:
        """Return the normals of the vertices, ``(N, 3)``, or of the faces' corners."""
        return self._normals if indexed is None else self._normals[self.faces()]


class Scene(QWidget):
    """The picture, with a caption in its corner."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shader: Any = ShaderProgram(None, [VertexShader(_VERTEX), FragmentShader(_FRAGMENT)])
        self._view: Any = _View()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self.caption = QLabel("", self)
        self.caption.setObjectName("quiet")
        self.caption.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.caption.move(12, 10)

    def clear(self) -> None:
        """Take everything away."""
        self._view.clear()
        self._view.set_ring(None)

    def show_surfaces(self, surfaces: Surfaces) -> None:
        """Show the vessel in the place of what was there; the camera stays."""
        self.clear()
        ruler = gl.GLLinePlotItem(
            pos=ruler_lines(surfaces.length_mm, surfaces.radius_mm),
            mode="lines",
            color=QColor(theme.QUIET),
            width=1.0,
            glOptions=_OPAQUE,
        )
        self._view.addItem(ruler)
        for mesh, colour, alpha, options, order in (
            (surfaces.calcium, theme.CALCIUM, 1.0, _OPAQUE, 0),
            (surfaces.lumen, theme.LUMEN, _LUMEN_ALPHA, _GLASS, 1),
        ):
            if mesh.faces.size:
                surface = self._surface(mesh, colour, alpha, options)
                surface.setDepthValue(order)
                self._view.addItem(surface)
        self.caption.raise_()

    def show_ring(self, points_mm: NDArray[np.float32]) -> None:
        """Show the place of the frame on screen, ``(N, 3)``."""
        self._view.set_ring(points_mm)

    def fit(self, surfaces: Surfaces) -> None:
        """Look at the whole vessel from its side, a little from above."""
        half = surfaces.length_mm / 2
        ratio = max(self._view.width(), 1) / max(self._view.height(), 1)
        # The field of view is that of the width.
        tangent = np.tan(np.deg2rad(_FOV_DEG / 2))
        distance = max(half * 1.08, 1.7 * surfaces.radius_mm * ratio) / tangent
        self._view.setCameraPosition(
            pos=QVector3D(half, 0, 0),
            distance=float(distance + surfaces.radius_mm),
            elevation=18,
            azimuth=-90,
        )

    def zoom(self, notches: float) -> None:
        """Come nearer by a number of wheel notches, or go back."""
        self._view.opts["distance"] *= _ZOOM**notches
        self._view.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the caption in its corner."""
        super().resizeEvent(event)
        self.caption.setFixedWidth(max(self.width() - 24, 0))

    def _surface(self, mesh: Mesh, colour: str, alpha: float, options: dict[Any, Any]) -> Any:  # noqa: ANN401 - pyqtgraph has no types
        paint = QColor(colour)
        return gl.GLMeshItem(
            meshdata=_MeshData(mesh),
            smooth=True,
            color=(paint.redF(), paint.greenF(), paint.blueF(), alpha),
            shader=self._shader,
            glOptions=options,
        )
