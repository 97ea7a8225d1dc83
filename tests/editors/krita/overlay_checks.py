"""What lies over the canvas and beside it, in either Qt, without Krita and without a screen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from acetate_bridge.editing.editor import Selection
from acetate_bridge.panel.preview_view import InPlaceView, LiveView, Placed
from acetate_bridge.panel.view import PanelView, Thumbnail
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets
from acetate_krita.widgets.overlay import CanvasOverlay, composed
from tests.editors.krita.qt_hands import shown, turn

_REGION = Rect(10, 20, 40, 30)


def _solid(width: int, height: int, colour: tuple[int, int, int, int]) -> Image:
    return Image(width, height, bytes(colour) * (width * height))


RED = InPlaceView(
    "document",
    "job",
    _REGION,
    (Placed(_solid(20, 15, (255, 0, 0, 255)), _REGION),),
    None,
    _REGION,
    None,
)


def _colour(picture: QtGui.QImage, x: int, y: int) -> tuple[int, int, int, int]:
    found = picture.pixelColor(x, y)
    return found.red(), found.green(), found.blue(), found.alpha()


def _canvas() -> QtWidgets.QWidget:
    canvas = QtWidgets.QWidget()
    canvas.resize(200, 150)
    palette = canvas.palette()
    palette.setColor(QtGui.QPalette.ColorRole.Window, QtGui.QColor("#0000ff"))
    canvas.setPalette(palette)
    canvas.setAutoFillBackground(True)
    canvas.show()
    turn()
    return canvas


def _seen(canvas: QtWidgets.QWidget, x: int, y: int) -> tuple[int, int, int]:
    turn()
    return _colour(canvas.grab().toImage(), x, y)[:3]


def _hand(canvas: QtWidgets.QWidget, kind: Any) -> None:
    left = Qt.MouseButton.LeftButton
    place = QtCore.QPointF(5, 5)
    none = Qt.KeyboardModifier.NoModifier
    QtWidgets.QApplication.sendEvent(canvas, QtGui.QMouseEvent(kind, place, left, left, none))


def check_the_overlay_draws_where_the_canvas_has_those_pixels() -> None:
    canvas = _canvas()
    overlay = CanvasOverlay(canvas)
    overlay.show_view(RED, QtGui.QTransform())
    assert _seen(canvas, 12, 22) == (255, 0, 0) and _seen(canvas, 8, 22) == (0, 0, 255)
    overlay.show_view(RED, QtGui.QTransform().translate(30, 0).scale(2, 2))
    assert _seen(canvas, 52, 42) == (255, 0, 0), "zoomed and moved"
    assert _seen(canvas, 128, 98) == (255, 0, 0)
    assert _seen(canvas, 47, 42) == _seen(canvas, 132, 42) == (0, 0, 255)
    overlay.show_view(RED, QtGui.QTransform().translate(100, 0).scale(-1, 1))
    assert _seen(canvas, 52, 22) == (255, 0, 0) and _seen(canvas, 48, 22) == (0, 0, 255), "mirrored"


def check_the_overlay_steps_aside_while_a_hand_is_down_and_takes_no_event() -> None:
    canvas = _canvas()
    overlay = CanvasOverlay(canvas)
    overlay.show_view(RED, QtGui.QTransform())
    assert canvas.childAt(12, 22) is None, "the mouse meets the canvas"
    assert overlay.focusPolicy() == Qt.FocusPolicy.NoFocus
    _hand(canvas, QtCore.QEvent.Type.MouseButtonPress)
    assert overlay.shown is None and _seen(canvas, 12, 22) == (0, 0, 255)
    _hand(canvas, QtCore.QEvent.Type.MouseButtonRelease)
    assert overlay.shown is None, "what was drawn may have outdated it: not at once"
    timer = overlay.findChild(QtCore.QTimer)
    timer.timeout.emit()
    assert overlay.shown is RED and _seen(canvas, 12, 22) == (255, 0, 0)


def check_the_canvas_is_seen_around_the_pointer_and_the_outline_of_the_brush() -> None:
    canvas = _canvas()
    canvas.setMouseTracking(True)
    overlay = CanvasOverlay(canvas)
    large = replace(RED, region=Rect(0, 0, 200, 150), seen=Rect(0, 0, 200, 150))
    large = replace(large, pictures=(Placed(_solid(1, 1, (255, 0, 0, 255)), large.region),))
    red, blue = (255, 0, 0), (0, 0, 255)
    overlay.show_view(large, QtGui.QTransform(), 10.0)
    assert _seen(canvas, 100, 75) == red
    _move(canvas, 100, 75)
    assert (
        _seen(canvas, 100, 75) == _seen(canvas, 108, 75) == blue and _seen(canvas, 130, 75) == red
    )
    _move(canvas, 30, 75)
    assert _seen(canvas, 100, 75) == red and _seen(canvas, 30, 75) == blue
    overlay.show_view(large, QtGui.QTransform().scale(2, 2), 60.0)
    _move(canvas, 100, 75)
    assert _seen(canvas, 100, 75) == red, "within a large brush the preview is seen"
    assert _seen(canvas, 160, 75) == _seen(canvas, 40, 75) == blue, "and its outline is"
    QtWidgets.QApplication.sendEvent(canvas, QtCore.QEvent(QtCore.QEvent.Type.Leave))
    assert _seen(canvas, 160, 75) == red


def _move(canvas: QtWidgets.QWidget, x: int, y: int) -> None:
    none, nothing = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    kind = QtCore.QEvent.Type.MouseMove
    event = QtGui.QMouseEvent(kind, QtCore.QPointF(x, y), nothing, nothing, none)
    QtWidgets.QApplication.sendEvent(canvas, event)


class _Greedy(QtCore.QObject):
    """Takes every press to itself, as Krita's own does."""

    def eventFilter(self, a0: Any, a1: Any) -> bool:  # noqa: N802 (Qt's name)
        return a1.type() == QtCore.QEvent.Type.MouseButtonPress


def check_the_overlay_hears_of_presses_that_are_taken_and_stays_aside_when_outdated() -> None:
    canvas, true = _canvas(), [False]
    overlay = CanvasOverlay(canvas, lambda: true[0])
    overlay.show_view(RED, QtGui.QTransform())
    greedy = _Greedy(canvas)
    canvas.installEventFilter(greedy)
    _hand(canvas, QtCore.QEvent.Type.MouseButtonPress)
    assert overlay.shown is None
    _hand(canvas, QtCore.QEvent.Type.MouseButtonRelease)
    timer = overlay.findChild(QtCore.QTimer)
    timer.timeout.emit()
    assert overlay.shown is None and timer.isActive(), "it asks again"
    true[0] = True
    timer.timeout.emit()
    assert overlay.shown is RED
    other = _canvas()
    _hand(other, QtCore.QEvent.Type.MouseButtonPress)
    assert overlay.shown is RED, "elsewhere is not here"


def check_the_overlay_grows_with_its_canvas_and_ends_with_it() -> None:
    canvas = _canvas()
    overlay = CanvasOverlay(canvas)
    gone: list[int] = []
    overlay.destroyed.connect(lambda *_: gone.append(1))
    canvas.resize(300, 260)
    overlay.show_view(RED, QtGui.QTransform().translate(200, 200))
    assert _seen(canvas, 212, 222) == (255, 0, 0)
    canvas.deleteLater()
    QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
    assert gone == [1]


def check_a_soft_selection_and_a_backdrop_count() -> None:
    half = Rect(10, 20, 20, 30)
    cut = composed(replace(RED, mask=Selection(half, bytes([128]) * 600)))
    red, _, _, alpha = _colour(cut, 5, 5)
    assert red == 255 and 126 <= alpha <= 130 and _colour(cut, 30, 5)[3] == 0
    sea = _solid(60, 50, (0, 0, 255, 255))
    both = replace(RED, mask=Selection(half, bytes(600)), seen=Rect(0, 10, 60, 50), backdrop=sea)
    assert _colour(composed(both), 5, 5) == _colour(composed(both), 39, 29) == (0, 0, 255, 255)
    covered = replace(RED, seen=Rect(0, 10, 60, 50), backdrop=sea, cover=sea)
    assert _colour(composed(covered), 5, 5) == (0, 0, 255, 255), "what lies above covers it"
    empty = replace(RED, pictures=(), backdrop=_solid(40, 30, (0, 0, 0, 0)))
    assert _colour(composed(empty), 35, 0) == (255, 255, 255, 255), "where nothing is: checks"
    assert _colour(composed(empty), 0, 0) == (220, 220, 220, 255)
    above = Placed(_solid(1, 1, (0, 255, 0, 255)), Rect(10, 20, 10, 10))
    stacked = composed(replace(RED, pictures=(above, *RED.pictures)))
    assert _colour(stacked, 5, 5)[:2] == (0, 255) and _colour(stacked, 20, 5)[:2] == (255, 0)
    deep = Image(1, 1, bytes((0, 0, 255, 255, 0, 0, 255, 255)), "rgba16")
    assert _colour(composed(replace(RED, pictures=(Placed(deep, _REGION),))), 3, 3)[1] == 255


def check_live_is_a_switch_and_keep_and_says_why_not() -> None:
    panel, told = shown(PanelView(live=LiveView(why_not="Not connected.")))
    live = panel.live
    assert not live.switch.isEnabled() and live.switch.toolTip() == "Not connected."
    assert not live.keep.isVisible()
    panel.draw(PanelView(live=LiveView(offered=True)))
    live.switch.click()
    panel.draw(PanelView(live=LiveView(True, True, sentence="Say what to paint first.")))
    words = [each.text() for each in live.findChildren(QtWidgets.QLabel) if each.isVisible()]
    assert words == ["Say what to paint first."] and not live.keep.isEnabled()
    panel.draw(PanelView(live=LiveView(True, True, can_keep=True)))
    live.keep.click()
    live.switch.click()
    assert told.calls == [("set_live", True), ("keep_live",), ("set_live", False)]
    panel.draw(PanelView(live=LiveView(True, False, "Not connected.")))
    assert live.switch.isEnabled(), "it can always be switched off"


def check_the_pointer_on_a_result_shows_it_and_leaves_it() -> None:
    dot = _solid(2, 2, (1, 2, 3, 255))
    panel, told = shown(PanelView(results=(Thumbnail(dot, shown=True), Thumbnail(dot))))
    kinds = QtCore.QEvent.Type
    for kind in (kinds.Enter, kinds.Leave):
        QtWidgets.QApplication.sendEvent(panel.results.buttons[1], QtCore.QEvent(kind))
        turn()
    assert told.calls == [("peek", 1), ("peek_nothing",)]
    told.calls.clear()
    panel.draw(PanelView(results=(Thumbnail(dot), Thumbnail(dot, shown=True))))
    turn()
    assert told.calls == [("peek_nothing",)], "the button that was under the pointer is gone"
    told.calls.clear()
    QtWidgets.QApplication.sendEvent(panel.preview, QtCore.QEvent(kinds.Enter))
    turn()
    assert told.calls == [("peek_preview",)]
