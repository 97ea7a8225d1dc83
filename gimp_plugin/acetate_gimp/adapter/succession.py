"""A layer in another's place: it takes over all that the painter did to that, but the pixels."""

from __future__ import annotations

from gi.repository import Gimp

from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.protocol.types import Layer
from adapter.layers import bounds_of, derived, moved
from adapter.metadata import RECIPE, read_spot, write_recipe, write_spot
from adapter.pixels import write_pixels


class Succession:
    """`new` is made from `old` at once, and takes its place in the stack when it is told to."""

    def __init__(self, image: Gimp.Image, old: Gimp.Layer, source: Layer) -> None:
        self._image, self._source = image, source
        self.old = old
        # GIMP's own copy has it all: blending, locks, label, mask, filters, parasites.
        self.new = _plain_copy(image, old) if derived(old) else old.copy()
        self._lock = self.new.get_lock_position()
        self.new.set_lock_position(False)
        if not self.new.has_alpha():
            self.new.add_alpha()
        self._same_size = self._fits()
        if self._same_size:
            self.new.set_offsets(source.x, source.y)
            write_pixels(self.new, source.image)
        # It has been moved as far as the old one, unless that was not Acetate's.
        x, y = moved(old) if read_spot(old) is not None else (0, 0)
        write_spot(self.new, (source.x - x, source.y - y))
        if source.recipe is not None:
            write_recipe(self.new, recipe_text(source.recipe))
        elif RECIPE in self.new.get_parasite_list():
            self.new.detach_parasite(RECIPE)

    def take_place(self) -> None:
        """The old layer leaves and the new one comes; belongs in one undo step."""
        old, new, source = self.old, self.new, self._source
        # First in, then out: so GIMP's undo and redo leave the selected layer selected.
        self._image.insert_layer(new, old.get_parent(), self._image.get_item_position(old))
        self._image.remove_layer(old)
        new.set_name(source.name)
        if not self._same_size:
            # With the mask, which keeps its place in the picture.
            there = bounds_of(new)
            size = source.image.width, source.image.height
            new.resize(*size, there.x - source.x, there.y - source.y)
            write_pixels(new, source.image)
        new.set_lock_position(self._lock)

    def _fits(self) -> bool:
        pixels = self._source.image
        return (self.new.get_width(), self.new.get_height()) == (pixels.width, pixels.height)


def _plain_copy(image: Gimp.Image, old: Gimp.Layer) -> Gimp.Layer:
    """A layer of pixels that is blended, masked and marked like another of any kind."""
    bounds = bounds_of(old)
    new = Gimp.Layer.new(
        image,
        old.get_name(),
        bounds.width,
        bounds.height,
        Gimp.ImageType.RGBA_IMAGE,
        old.get_opacity(),
        old.get_mode(),
    )
    new.set_offsets(bounds.x, bounds.y)
    new.set_visible(old.get_visible())
    new.set_color_tag(old.get_color_tag())
    new.set_blend_space(old.get_blend_space())
    new.set_composite_space(old.get_composite_space())
    new.set_composite_mode(old.get_composite_mode())
    new.set_lock_alpha(old.get_lock_alpha())
    new.set_lock_position(old.get_lock_position())
    new.set_lock_visibility(old.get_lock_visibility())
    mask = old.get_mask()
    if mask is not None:
        own = new.create_mask(Gimp.AddMaskType.WHITE)
        whole = mask.get_buffer().get_extent()
        data = mask.get_buffer().get(whole, 1.0, "Y float", 0)
        own.get_buffer().set(whole, "Y float", bytes(data))
        new.add_mask(own)
        new.set_edit_mask(old.get_edit_mask())
        new.set_apply_mask(old.get_apply_mask())
    for effect in reversed(old.get_filters()):
        _add_filter(new, effect)
    for name in old.get_parasite_list():
        if not name.startswith("gimp-"):
            new.attach_parasite(old.get_parasite(name))
    return new


def _add_filter(layer: Gimp.Layer, effect: Gimp.DrawableFilter) -> None:
    copy = Gimp.DrawableFilter.new(layer, effect.get_operation_name(), effect.get_name())
    given, taken = effect.get_config(), copy.get_config()
    for setting in given.list_properties():
        taken.set_property(setting.name, given.get_property(setting.name))
    copy.set_opacity(effect.get_opacity())
    copy.set_blend_mode(effect.get_blend_mode())
    copy.set_visible(effect.get_visible())
    layer.append_filter(copy)
