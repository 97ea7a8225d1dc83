"""Whether the painter's hand or a tool is in the middle of something that a new layer would end.

GIMP tells no plug-in which tool is in use. But its tools leave traces: a transformation hides its
layer outside the undo history, a warp or gradient hangs a graph on it, a filter opens a dialog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gi.repository import Gimp

from adapter import waiting
from adapter.layers import walk
from adapter.windows import button_is_down, gimp_windows

_GRAPH = "GraphNode"
"""What GIMP calls the filter of a tool that is in use."""


class Hand:
    """`at_panel` says whether the keyboard is in the panel, so that nobody types on the canvas.

    A layer that is worked on and hidden is taken for transformed, unless it is known that it was
    hidden otherwise: no tool hides a layer that is not selected.
    """

    def __init__(self) -> None:
        self.at_panel: Callable[[], bool] = lambda: True
        self._hidden_otherwise: set[int] = set()

    def watch(self, image: Gimp.Image, changed: bool = True) -> None:
        """Look now and then at what is hidden; at all layers when something has `changed`."""
        for number in list(self._hidden_otherwise):
            if not Gimp.Item.id_is_valid(number) or Gimp.Item.get_by_id(number).get_visible():
                self._hidden_otherwise.discard(number)
        if changed:
            selected = {layer.get_id() for layer in image.get_selected_layers()}
            self.has_hidden(each for each in walk(image) if each.get_id() not in selected)

    def has_hidden(self, layers: Iterable[Gimp.Layer]) -> None:
        """Those of these layers that are hidden now were hidden by no tool."""
        self._hidden_otherwise |= {each.get_id() for each in layers if not each.get_visible()}

    def is_busy(self, image: Gimp.Image, in_front: bool) -> bool:
        """Whether a layer should not come into an image now."""
        if button_is_down() or image.get_floating_sel() is not None:
            return True
        if any(each.dialog for each in gimp_windows() or []):
            return True
        selected = image.get_selected_layers()
        if any(self._is_transformed(layer) for layer in selected):
            return True
        if self.at_panel() or not in_front:
            return False
        # A transformation of what is selected leaves no trace at all; nor does a text.
        there = Gimp.Selection.bounds(image)[1]
        return there or any(layer.is_text_layer() for layer in selected)

    def why_busy(self, image: Gimp.Image) -> str:
        """What has to come to its end, where a hand that rests is not enough."""
        selected = image.get_selected_layers()
        if button_is_down():
            return ""
        if image.get_floating_sel() is not None:
            return waiting.ANCHOR
        if any(each.dialog for each in gimp_windows() or []):
            return waiting.DIALOG
        if hidden := [each for each in selected if self._is_hidden_by_a_tool(each)]:
            return waiting.hidden(hidden[0].get_name())
        if any(self._is_transformed(layer) for layer in selected):
            return waiting.TOOL
        if Gimp.Selection.bounds(image)[1]:
            return waiting.SELECTION
        return waiting.TEXT if any(layer.is_text_layer() for layer in selected) else ""

    def _is_hidden_by_a_tool(self, layer: Gimp.Layer) -> bool:
        return not layer.get_visible() and layer.get_id() not in self._hidden_otherwise

    def _is_transformed(self, layer: Gimp.Layer) -> bool:
        if self._is_hidden_by_a_tool(layer):
            return True
        return any(each.get_operation_name() == _GRAPH for each in layer.get_filters())
