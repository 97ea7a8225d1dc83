"""Which image the panel means, when several are open: GIMP does not say which is in front."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp, Gtk

from widgets.signal_guard import Updating, choose


class ImageChooser(Gtk.Box):
    """A line with the open images; not there while there is but one."""

    def __init__(self, chosen: Callable[[Gimp.Image], None]) -> None:
        super().__init__(spacing=6, no_show_all=True)
        self.set_border_width(12)
        self.set_margin_bottom(-12)
        self._updating, self._entries = Updating(), list[tuple[str, str]]()
        label = Gtk.Label(label="_Image", use_underline=True)
        self._box = Gtk.ComboBoxText()
        label.set_mnemonic_widget(self._box)
        self._box.connect("changed", self._updating.guard(lambda box: chosen(_image(box))))
        self.pack_start(label, False, False, 0)
        self.pack_start(self._box, True, True, 0)
        label.show()
        self._box.show()

    def show_images(self, images: list[Gimp.Image], current: Gimp.Image | None) -> None:
        """Take over what is open now."""
        self.set_visible(len(images) > 1)
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


def _image(box: Gtk.ComboBoxText) -> Gimp.Image:
    return Gimp.Image.get_by_id(int(box.get_active_id()))
