"""What to paint: the prompt, and one for each layer of a scene."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk, Pango

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.view import Actions, LayerPrompt, PanelView
from widgets.completer import Completer
from widgets.signal_guard import Updating, entry_text
from widgets.style import make_quiet

_LINES = 4
_MOST_LINES = 12


class Prompts(Gtk.Box):
    """A text of several lines, and below it the lines for layers. Tab leaves the text."""

    def __init__(self, actions: Actions, updating: Updating) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._actions, self._updating = actions, updating
        self.text = Gtk.TextView(
            wrap_mode=Gtk.WrapMode.WORD_CHAR,
            accepts_tab=False,
            left_margin=6,
            right_margin=6,
            top_margin=4,
            bottom_margin=4,
        )
        self.text.get_accessible().set_name("Prompt")
        self.text.set_tooltip_text(say("What to paint. Ctrl+Enter paints it."))
        self.text.get_buffer().connect("changed", self._typed)
        self.completer = Completer(self.text, actions.complete)
        self._hint = Gtk.Label(label=say("What to paint"), xalign=0, yalign=0)
        self._hint.set_margin_start(7)
        self._hint.set_margin_top(4)
        make_quiet(self._hint)
        overlay = Gtk.Overlay()
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.add(self.text)
        metrics = self.text.get_pango_context().get_metrics(None, None)
        line = (metrics.get_ascent() + metrics.get_descent()) // Pango.SCALE
        scrolled.set_min_content_height(line * _LINES)
        # It grows with what is written, and leaves room for the rest.
        scrolled.set_max_content_height(line * _MOST_LINES)
        scrolled.set_propagate_natural_height(True)
        overlay.add(scrolled)
        overlay.add_overlay(self._hint)
        overlay.set_overlay_pass_through(self._hint, True)
        self.pack_start(overlay, True, True, 0)
        self._layers = Gtk.Grid(row_spacing=6, column_spacing=6)
        self.pack_start(self._layers, False, False, 0)
        self._entries: dict[str, Gtk.Entry] = {}

    def show(self, view: PanelView) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a view; a text that is the same keeps its cursor."""
        buffer = self.text.get_buffer()
        if self.written != view.prompt:
            buffer.set_text(view.prompt)
            self.completer.close()
        self._hint.set_visible(not view.prompt)
        if [each.role for each in view.layer_prompts] != list(self._entries):
            self._make_entries(view.layer_prompts)
        for each in view.layer_prompts:
            entry_text(self._entries[each.role], each.text)

    def _make_entries(self, prompts: tuple[LayerPrompt, ...]) -> None:
        for child in self._layers.get_children():
            child.destroy()
        self._entries = {}
        for row, each in enumerate(prompts):
            label = Gtk.Label(label=each.label, xalign=0)
            entry = Gtk.Entry(hexpand=True, width_chars=8, text=each.text)
            entry.get_accessible().set_name(each.label)
            entry.connect("changed", self._updating.guard(self._tell(each.role)))
            self._layers.attach(label, 0, row, 1, 1)
            self._layers.attach(entry, 1, row, 1, 1)
            self._entries[each.role] = entry
        self._layers.show_all()

    def _tell(self, role: str) -> Callable[[Gtk.Entry], None]:
        return lambda entry: self._actions.set_layer_prompt(role, entry.get_text())

    @property
    def written(self) -> str:
        """What stands there."""
        buffer = self.text.get_buffer()
        return buffer.get_text(*buffer.get_bounds(), False)

    def _typed(self, _: Gtk.TextBuffer) -> None:
        self._hint.set_visible(not self.written)
        if not self._updating.now:
            self._actions.set_prompt(self.written)
