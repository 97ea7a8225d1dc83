"""The views of a document, each with an active layer of its own: which one the painter is in."""

from __future__ import annotations

from typing import Any

from acetate_krita.qt import QtWidgets

_LAYERS = "KisLayerBox"


def active_view(application: Any, document: Any) -> Any | None:
    """The view that the painter is in, if it shows this document."""
    window = application.activeWindow()
    view = window.activeView() if window is not None else None
    return view if view is not None and view.document() == document else None


def layer_tree(application: Any) -> Any | None:
    """The list in the layer docker of the active window."""
    window = application.activeWindow()
    frame = window.qwindow() if window is not None else None
    docker = frame.findChild(QtWidgets.QDockWidget, _LAYERS) if frame is not None else None
    trees = docker.findChildren(QtWidgets.QTreeView) if docker is not None else []
    return next((tree for tree in trees if tree.model() is not None), None)


def active_node(application: Any, document: Any) -> Any | None:
    """The layer or mask that the painter works on, in the view that they are in.

    Of several views Krita answers for the first one, wherever the painter is. Its loop turns.
    """
    first = document.activeNode()
    if first is None or sum(each.document() == document for each in application.views()) < 2:
        return first
    view = active_view(application, document)
    return (chosen_in(application, view) if view is not None else None) or first


def chosen_in(application: Any, view: Any) -> Any | None:
    """The active one of what is selected in a view, which must be the active one."""
    nodes = [each for each in view.selectedNodes() if each.parentNode() is not None]
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    tree = layer_tree(application)
    name = tree.model().data(tree.currentIndex()) if tree is not None else None
    return next((each for each in nodes if each.name() == name), nodes[0])
