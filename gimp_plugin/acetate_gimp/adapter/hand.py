"""Whether the painter's hand or a tool is in the middle of something that a new layer would end.

GIMP tells no plug-in which tool is in use. But its tools leave traces: a transformation hides its
layer outside the undo history, a warp or gradient hangs a graph on it, a filter opens a dialog.
"""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp

from adapter.windows import gimp_windows

_GRAPH = "GraphNode"
"""What GIMP calls the filter of a tool that is in use."""


class Hand:
    """`at_panel` says whether the keyboard is in the panel, so that nobody types on the canvas."""

    def __init__(self) -> None:
        self.at_panel: Callable[[], bool] = lambda: True
        self._seen_visible: set[int] = set()

    def watch(self, image: Gimp.Image) -> None:
        """Look at what is worked on, now and then: what is hidden later was hidden by a tool."""
        self._seen_visible |= {
            layer.get_id() for layer in image.get_selected_layers() if layer.get_visible()
        }

    def has_hidden(self, layers: list[Gimp.Layer]) -> None:
        """These are hidden because the painter wanted a repainting to do so."""
        self._seen_visible -= {layer.get_id() for layer in layers}

    def is_busy(self, image: Gimp.Image) -> bool:
        """Whether a layer should not come in now."""
        if image.get_floating_sel() is not None or any(
            each.dialog for each in gimp_windows() or []
        ):
            return True
        selected = image.get_selected_layers()
        if any(self._is_transformed(layer) for layer in selected):
            return True
        if self.at_panel():
            return False
        # A transformation of what is selected leaves no trace at all; nor does a text.
        there = Gimp.Selection.bounds(image)[1]
        return there or any(layer.is_text_layer() for layer in selected)

    def _is_transformed(self, layer: Gimp.Layer) -> bool:
        hidden = not layer.get_visible() and layer.get_id() in self._seen_visible
        return hidden or any(each.get_operation_name() == _GRAPH for each in layer.get_filters())
