"""The dialog: what is in place, which server, what repainting does, and where things lie."""

from __future__ import annotations

from functools import partial

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.view import Actions, PanelView
from acetate_krita.qt import QtCore, QtGui, QtWidgets
from acetate_krita.widgets.labels import ReadablePlaceholder, flexible, heading, sentence
from acetate_krita.widgets.settings_form import Form, Icon
from acetate_krita.widgets.setup_card import SetupCard

TITLE = "Acetate Settings"
_WIDTH, _HEIGHT = 380, 560


class SettingsDialog(QtWidgets.QDialog):
    """Made once; closing hides it. It waits for nobody: the panel works on beside it."""

    def __init__(self, parent: QtWidgets.QWidget, actions: Actions, icon: Icon) -> None:
        super().__init__(parent)
        self.setWindowTitle(say(TITLE))
        self.resize(_WIDTH, _HEIGHT)
        self._actions = actions
        self.parts, self.models = SetupCard(actions), SetupCard(actions)
        self._machine = sentence(muted=True)
        self.address, self.token_file = QtWidgets.QLineEdit(), QtWidgets.QLineEdit()
        self.address.setPlaceholderText(say("This machine"))
        self.address.setToolTip(say("Address of another server, such as studio.local:7860"))
        self.address.setAccessibleName(say("Address of the server"))
        self.token_file.setPlaceholderText(say("None"))
        self.token_file.setToolTip(say("File with the token of that server"))
        self.token_file.setAccessibleName(say("Token file"))
        for field in (self.address, self.token_file):
            ReadablePlaceholder(field)
        self.connect_button, self.page = (
            _button(say("Connect")),
            _button(say("Open Page")),
        )
        self.page.setToolTip(say("The page of the server in your browser, signed in"))
        self.connect_button.clicked.connect(lambda: self._apply())
        self.page.clicked.connect(lambda: actions.open_page())
        rows = {name: row for name, row in FIELDS.items() if row.in_dialog}
        self.language = Form(actions, icon, {"language": rows.pop("language")})
        self.form = Form(actions, icon, rows)
        self._folders = QtWidgets.QFormLayout()
        self._lay_out()

    def open_beside(self) -> None:
        """Come up, and look at what is in place."""
        self._actions.look_at_setup()
        self.show()
        self.raise_()
        self.activateWindow()

    def show_view(self, view: PanelView) -> None:
        """Take over a view; what is being typed stays."""
        self.parts.show_rows(view.setup.parts)
        self.models.show_rows(view.setup.models)
        self._machine.setText(view.setup.machine)
        for entry, text in (
            (self.address, view.server.address),
            (self.token_file, view.server.token_file),
        ):
            if not entry.hasFocus() and entry.text() != text:
                entry.setText(text)
        self.form.show_fields(view.fields)
        self.language.show_fields(view.fields)
        if not self._folders.rowCount():
            for folder in view.server.folders:
                button = _button(say("Open"))
                button.setToolTip(folder.path)
                button.setAccessibleName(f"Open: {folder.name}")
                button.clicked.connect(partial(_open_folder, folder.path))
                self._folders.addRow(folder.name, button)

    def _apply(self) -> None:
        self._actions.set_server(self.address.text(), self.token_file.text())

    def _choose_file(self) -> None:
        chosen, _ = QtWidgets.QFileDialog.getOpenFileName(self, say("Token File"))
        if chosen:
            self.token_file.setText(chosen)

    def _lay_out(self) -> None:
        choose = QtWidgets.QToolButton()
        choose.setText("…")
        choose.setAccessibleName(say("Choose the token file"))
        choose.clicked.connect(lambda: self._choose_file())
        file = QtWidgets.QHBoxLayout()
        file.addWidget(flexible(self.token_file))
        file.addWidget(choose)
        server = QtWidgets.QFormLayout()
        server.addRow(say("Address"), flexible(self.address))
        server.addRow(say("Token file"), file)
        server.addRow("", self.connect_button)
        inner = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inner)
        for each in (
            heading(say("In place")),
            self.parts,
            self.page,
            heading(say("What runs well here")),
            self._machine,
            self.models,
            heading(say("Server")),
            server,
            heading(say("Repainting")),
            self.form,
            heading(say("Folders")),
            self._folders,
            self.language,
        ):
            if isinstance(each, QtWidgets.QLayout):
                column.addLayout(each)
            else:
                column.addWidget(each)
        column.addStretch(1)
        scrolled = QtWidgets.QScrollArea()
        scrolled.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scrolled.setWidgetResizable(True)
        scrolled.setWidget(inner)
        outer = QtWidgets.QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled)


def _button(words: str) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(words)
    button.setAutoDefault(False)
    return button


def _open_folder(path: str, *_: object) -> None:
    QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(path))
