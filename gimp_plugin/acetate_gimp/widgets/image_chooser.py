"""Which image the panel means, when several are open and nothing on the screen tells."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp, Gtk

from acetate_bridge.language.spoken import say
from adapter.documents import Attention
from widgets.signal_guard import Updating, choose

WHICH = "Several images are open: choose above which one you are in."


class ImageChooser(Gtk.Box):
    """A line with the open images; not there while it is clear in which the painter is."""

    def __init__(self, chosen: Callable[[Gimp.Image], None]) -> None:
        super().__init__(spacing=6, no_show_all=True)
        self.set_border_width(6)
        self.set_margin_bottom(-6)
        self._updating, self._entries = Updating(), list[tuple[str, str]]()
        label = Gtk.Label(label=say("_Image"), use_underline=True)
        self._box = Gtk.ComboBoxText()
        label.set_mnemonic_widget(self._box)

        def tell(box: Gtk.ComboBoxText) -> None:
            if box.get_active_id() is not None:
                chosen(Gimp.Image.get_by_id(int(box.get_active_id())))

        self._box.connect("changed", self._updating.guard(tell))
        self.pack_start(label, False, False, 0)
        self.pack_start(self._box, True, True, 0)
        label.show()
        self._box.show()

    def show_images(self, attention: Attention, current: Gimp.Image | None) -> None:
        """Take over what is open now; while it is unsure, none is chosen."""
        images = attention.images
        self.set_visible(len(images) > 1 and not attention.sees)
        # Name and number, as in the titles of GIMP's own windows.
        entries = [(str(each.get_id()), f"{each.get_name()}-{each.get_id()}") for each in images]
        with self._updating.going_on():
            if entries != self._entries:
                self._entries = entries
                self._box.remove_all()
                for key, name in entries:
                    self._box.append(key, name)
            if current is not None:
                choose(self._box, str(current.get_id()))
            else:
                self._box.set_active(-1)
