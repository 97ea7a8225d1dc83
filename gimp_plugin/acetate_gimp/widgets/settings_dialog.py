"""The dialog: what is in place, which server, what repainting does, and where things lie."""

from __future__ import annotations

import contextlib

from gi.repository import Gdk, Gio, GLib, Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.view import Actions, PanelView
from widgets.settings_form import Form
from widgets.setup_card import SetupCard
from widgets.signal_guard import Updating, entry_text
from widgets.style import heading, make_quiet

TITLE = "Acetate Settings"
_WIDTH, _HEIGHT = 380, 560


class SettingsDialog(Gtk.Window):
    """Made once; closing hides it. It waits for nobody: the panel works on beside it."""

    def __init__(self, actions: Actions, updating: Updating) -> None:
        super().__init__(title=say(TITLE))
        self.set_type_hint(Gdk.WindowTypeHint.DIALOG)
        self.set_default_size(_WIDTH, _HEIGHT)
        self._actions, self._updating = actions, updating
        self.connect("delete-event", lambda *_: self.hide() or True)
        self.connect("key-press-event", self._key)
        self._parts, self._models = SetupCard(actions), SetupCard(actions)
        self._machine = Gtk.Label(xalign=0, wrap=True, width_chars=16, max_width_chars=46)
        make_quiet(self._machine)
        self.address, self.token_file = (Gtk.Entry(hexpand=True, width_chars=8) for _ in range(2))
        self.address.set_placeholder_text(say("This machine"))
        self.address.set_tooltip_text(say("Address of another server, such as studio.local:7860"))
        self.token_file.set_placeholder_text(say("None"))
        self.token_file.set_tooltip_text(say("File with the token of that server"))
        for entry in (self.address, self.token_file):
            entry.connect("activate", lambda _: self._apply())
        rows = {name: row for name, row in FIELDS.items() if row.in_dialog}
        self._language = Form(actions, updating, {"language": rows.pop("language")})
        self._form = Form(actions, updating, rows)
        self._folders = Gtk.Grid(row_spacing=6, column_spacing=6)
        self._lay_out()

    def open(self, parent: Gtk.Window | None) -> None:
        """Come up, beside the panel."""
        if parent is not None:
            self.set_transient_for(parent)
        self._actions.look_at_setup()
        self.present_with_time(Gdk.CURRENT_TIME)

    def draw_view(self, view: PanelView) -> None:
        """Take over a view; what is being typed stays."""
        self._parts.show_rows(view.setup.parts)
        self._models.show_rows(view.setup.models)
        self._machine.set_text(view.setup.machine)
        for entry, text in (
            (self.address, view.server.address),
            (self.token_file, view.server.token_file),
        ):
            if not entry.has_focus():
                entry_text(entry, text)
        self._form.show_fields(view.fields)
        self._language.show_fields(view.fields)
        if not self._folders.get_children():
            self._draw_folders(view)

    def _apply(self) -> None:
        self._actions.set_server(self.address.get_text(), self.token_file.get_text())

    def _draw_folders(self, view: PanelView) -> None:
        for place, folder in enumerate(view.server.folders):
            name = Gtk.Label(label=folder.name, xalign=0, hexpand=True, tooltip_text=folder.path)
            button = Gtk.Button(label=say("Open"), tooltip_text=folder.path)
            button.get_accessible().set_name(f"Open: {folder.name}")
            button.connect("clicked", lambda _, path=folder.path: _open_folder(path))
            self._folders.attach(name, 0, place, 1, 1)
            self._folders.attach(button, 1, place, 1, 1)
        self._folders.show_all()

    def _lay_out(self) -> None:
        page = Gtk.Button(label=say("Open _Page"), use_underline=True)
        page.set_tooltip_text(say("The page of the server in your browser, signed in"))
        page.connect("clicked", lambda _: self._actions.open_page())
        server = Gtk.Grid(row_spacing=6, column_spacing=6)
        choose = Gtk.Button(label="…", tooltip_text=say("Choose a file"))
        choose.get_accessible().set_name("Choose the token file")
        choose.connect("clicked", lambda _: self._choose_file())
        apply = Gtk.Button(label=say("_Connect"), use_underline=True, halign=Gtk.Align.END)
        apply.connect("clicked", lambda _: self._apply())
        for place, (words, entry) in enumerate(
            ((say("_Address"), self.address), (say("_Token file"), self.token_file))
        ):
            label = Gtk.Label(label=words, use_underline=True, xalign=0)
            label.set_mnemonic_widget(entry)
            server.attach(label, 0, place, 1, 1)
            server.attach(entry, 1, place, 1 if place else 2, 1)
        server.attach(choose, 2, 1, 1, 1)
        server.attach(apply, 1, 2, 2, 1)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8)
        column.set_border_width(10)
        for widget in (
            heading(say("In place")),
            self._parts,
            page,
            heading(say("What runs well here")),
            self._machine,
            self._models,
            heading(say("Server")),
            server,
            heading(say("Repainting")),
            self._form,
            heading(say("Folders")),
            self._folders,
            self._language,
        ):
            column.pack_start(widget, False, False, 0)
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_overlay_scrolling(False)
        scrolled.add(column)
        self.add(scrolled)
        scrolled.show_all()
        self._parts.show()
        self._models.show()

    def _choose_file(self) -> None:
        chooser = Gtk.FileChooserNative.new(
            say("Token File"), self, Gtk.FileChooserAction.OPEN, None, None
        )
        if chooser.run() == Gtk.ResponseType.ACCEPT and chooser.get_filename():
            self.token_file.set_text(chooser.get_filename())
        chooser.destroy()

    def _key(self, _: Gtk.Widget, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_Escape:
            self.hide()
            return True
        return False


def _open_folder(path: str) -> None:
    """In the file manager; there may be none, or no folder yet."""
    with contextlib.suppress(GLib.Error):
        Gio.AppInfo.launch_default_for_uri(Gio.File.new_for_path(path).get_uri(), None)
