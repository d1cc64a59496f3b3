"""The fields of one peer: an archive by DICOM or by DICOMweb."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from calcviewer.dicom.network.peer import OWN_AE_TITLE, DimsePeer, Peer, TlsFiles, WebPeer
from calcviewer.gui.panels.card import paint, quiet
from calcviewer.gui.theme import QUIET, WARNING

_DICOM_PORT = 104
_LARGEST_PORT = 65535


class PeerForm(QWidget):
    """Edits one peer and, apart from it, its secret.

    Signals
    -------
    edited
        The operator changed something.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Peer | None = None
        self.kind = QComboBox()
        self.kind.addItem(self.tr("DICOM (AE title, host, port)"), DimsePeer)
        self.kind.addItem(self.tr("DICOMweb (address)"), WebPeer)
        self.name = _field(self.tr("What you call it, e.g. Hospital PACS"))
        self.ae_title, self.own_ae_title = _field("ORTHANC"), _field(OWN_AE_TITLE)
        for field in (self.ae_title, self.own_ae_title):
            field.setMaxLength(16)
        self.host = _field(self.tr("pacs.example.org or 10.0.0.12"))
        self.port = QSpinBox(minimum=1, maximum=_LARGEST_PORT)
        self.tls = QCheckBox(self.tr("Encrypt the connection (TLS)"))
        self.tls_ca, self.certificate, self.key = (PathField(self) for _ in range(3))
        self.url = _field("https://archive.example.org/dicom-web")
        self.user = _field(self.tr("None"))
        self.web_ca = PathField(self)
        self.secret = _field("")
        self.secret.setEchoMode(QLineEdit.EchoMode.Password)
        self._secret_label, self._secret_note = QLabel(), quiet("", wrap=True)
        self._secret_note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._administrator = quiet(
            self.tr(
                "The archive's administrator has to know our AE title and this computer's address."
            ),
            wrap=True,
        )
        self._administrator.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred
        )
        self._lay_out()
        self._connect()
        self.show_peer(None, secret_kept=False)

    @property
    def peer(self) -> Peer:
        """The peer as it stands in the form.

        Raises
        ------
        CalcViewerError
            When a field does not hold what it must.
        """
        name = self.name.text().strip()
        if self.kind.currentData() is WebPeer:
            web = WebPeer(
                name=name,
                url=self.url.text().strip(),
                user=self.user.text().strip(),
                ca_file=self.web_ca.path,
            )
            known = self._shown
            return replace(web, timeouts=known.timeouts) if isinstance(known, WebPeer) else web
        dimse = DimsePeer(
            name=name,
            ae_title=self.ae_title.text().strip(),
            host=self.host.text().strip(),
            port=self.port.value(),
            calling_ae_title=self.own_ae_title.text().strip() or OWN_AE_TITLE,
            tls=self._tls_files(),
        )
        known = self._shown
        return replace(dimse, timeouts=known.timeouts) if isinstance(known, DimsePeer) else dimse

    @property
    def new_secret(self) -> str | None:
        """What was entered as the secret; None: it stays as it is."""
        return self.secret.text() or None

    def show_peer(self, peer: Peer | None, *, secret_kept: bool) -> None:
        """Show a peer, or empty fields for a new one; a kept secret is never shown."""
        self._shown = peer
        blocked = self.blockSignals(True)
        web = peer if isinstance(peer, WebPeer) else None
        dimse = peer if isinstance(peer, DimsePeer) else None
        tls = (dimse.tls if dimse else None) or TlsFiles()
        self.kind.setCurrentIndex(1 if web else 0)
        self.name.setText(peer.name if peer else "")
        self.ae_title.setText(dimse.ae_title if dimse else "")
        self.own_ae_title.setText(dimse.calling_ae_title if dimse else OWN_AE_TITLE)
        self.host.setText(dimse.host if dimse else "")
        self.port.setValue(dimse.port if dimse else _DICOM_PORT)
        self.tls.setChecked(bool(dimse and dimse.tls))
        self.url.setText(web.url if web else "")
        self.user.setText(web.user if web else "")
        for field, path in (
            (self.tls_ca, tls.ca_file),
            (self.certificate, tls.certificate),
            (self.key, tls.key),
            (self.web_ca, web.ca_file if web else ""),
        ):
            field.field.setText(path)
        self.show_secret(kept=secret_kept)
        self.blockSignals(blocked)
        self._show_rows()

    def show_secret(self, *, kept: bool) -> None:
        """Say whether a secret is kept; the field is for another one."""
        self.secret.clear()
        self.secret.setPlaceholderText(
            self.tr("Kept in the system keyring; type to replace it") if kept else ""
        )

    def _tls_files(self) -> TlsFiles | None:
        if not self.tls.isChecked():
            return None
        return TlsFiles(
            ca_file=self.tls_ca.path, certificate=self.certificate.path, key=self.key.path
        )

    def _lay_out(self) -> None:
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(8)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.port.setMaximumWidth(120)
        self._form.addRow(self.tr("Name"), self.name)
        self._form.addRow(self.tr("Speaks"), self.kind)
        self._form.addRow(self.tr("Its AE title"), self.ae_title)
        self._form.addRow(self.tr("Host"), self.host)
        self._form.addRow(self.tr("Port"), self.port)
        self._form.addRow(self.tr("Our AE title"), self.own_ae_title)
        self._form.addRow("", self.tls)
        self._form.addRow(self.tr("Its authority"), self.tls_ca)
        self._form.addRow(self.tr("Our certificate"), self.certificate)
        self._form.addRow(self.tr("Our key"), self.key)
        self._form.addRow(self.tr("Address"), self.url)
        self._form.addRow(self.tr("User"), self.user)
        self._form.addRow(self.tr("Authority"), self.web_ca)
        self._form.addRow(self._secret_label, self.secret)
        self._form.addRow("", self._secret_note)
        self._form.addRow("", self._administrator)
        self.tls_ca.field.setPlaceholderText(self.tr("Certificates of the system"))
        self.web_ca.field.setPlaceholderText(self.tr("The usual authorities"))
        for field in (self.certificate, self.key):
            field.field.setPlaceholderText(self.tr("Only where the archive asks for it"))

    def _connect(self) -> None:
        fields = (self.name, self.ae_title, self.own_ae_title, self.host, self.url, self.user)
        files = (self.tls_ca, self.certificate, self.key, self.web_ca)
        for field in (*fields, self.secret, *(one.field for one in files)):
            field.textChanged.connect(self._edited)
        self.port.valueChanged.connect(self._edited)
        self.kind.currentIndexChanged.connect(self._edited)
        self.tls.toggled.connect(self._edited)

    def _edited(self) -> None:
        self._show_rows()
        self.edited.emit()

    def _show_rows(self) -> None:
        web, tls = self.kind.currentData() is WebPeer, self.tls.isChecked()
        takes = bool(self.user.text().strip()) if web else tls and bool(self.certificate.path)
        shown: tuple[tuple[bool, tuple[QWidget, ...]], ...] = (
            (not web, (self.ae_title, self.host, self.port, self.own_ae_title, self.tls)),
            (not web, (self._administrator,)),
            (not web and tls, (self.tls_ca, self.certificate, self.key)),
            (web, (self.url, self.user, self.web_ca)),
            (takes, (self.secret, self._secret_note)),
        )
        for visible, widgets in shown:
            for widget in widgets:
                self._form.setRowVisible(widget, visible)
        self._secret_label.setText(self.tr("Password") if web else self.tr("Key's password"))
        readable = web and self.url.text().strip().lower().startswith("http:")
        self._secret_note.setText(
            self.tr("Over http anyone on the way can read the password. Use https if you can.")
            if readable
            else self.tr("Goes to the system keyring, never into a file, and is not shown again.")
        )
        paint(self._secret_note, WARNING if readable else QUIET)


class PathField(QWidget):
    """The path of a certificate file, typed or chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit()
        choose = QPushButton(self.tr("Choose…"))
        choose.setAutoDefault(False)
        choose.clicked.connect(self._ask)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.field, 1)
        row.addWidget(choose)
        self.setFocusProxy(self.field)

    @property
    def path(self) -> str:
        """The path; empty: none."""
        text = self.field.text().strip()
        return str(Path(text).expanduser()) if text else ""

    def _ask(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a PEM file"), str(Path(self.path).parent))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilters([self.tr("Certificates (*.pem *.crt *.cer *.key)"), "*"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.field.setText)
        dialog.open()


def _field(hint: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(hint)
    return field
