"""GIMP's own windows on the screen, the topmost first: they alone tell where the painter is.

Only an X server tells. It is asked by libxcb, whose errors are answers and never end a program.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import struct
from dataclasses import dataclass
from typing import Any

from gi.repository import Gimp

_DIALOG = "_NET_WM_WINDOW_TYPE_DIALOG"
_LONGEST = 4096
_BUTTONS = 0x700


@dataclass(frozen=True)
class Window:
    """A window of GIMP's. `dialog`: it asks something, or holds the values of a tool."""

    title: str
    dialog: bool = False


def gimp_windows() -> list[Window] | None:
    """What stands on the screen; None where nobody can tell."""
    screen = _screen()
    if screen is None:
        return None
    ours = [each for each in screen.windows() if screen.number(each, "_NET_WM_PID") == _gimp()]
    return [
        Window(screen.text(each, "_NET_WM_NAME"), screen.is_a(each, _DIALOG)) for each in ours
    ] or None


def button_is_down() -> bool:
    """Whether a hand holds a button of the mouse; False where nobody can tell."""
    screen = _screen()
    return screen is not None and screen.button_is_down()


@functools.cache
def _gimp() -> int:
    return int(Gimp.getpid())


@functools.cache
def _screen() -> _Screen | None:
    with contextlib.suppress(OSError, AttributeError):
        screen = _Screen()
        return screen if screen.works else None
    return None


class _Cookie(ctypes.Structure):
    _fields_ = [("sequence", ctypes.c_uint)]


class _Screen:
    """Properties of the windows of an X server. Raises OSError where there is no libxcb."""

    def __init__(self) -> None:
        self._xcb = ctypes.CDLL("libxcb.so.1")
        self._c = ctypes.CDLL(None)
        self._c.free.argtypes = [ctypes.c_void_p]
        self._xcb.xcb_connect.restype = ctypes.c_void_p
        for name in ("xcb_intern_atom", "xcb_get_property", "xcb_query_pointer"):
            getattr(self._xcb, name).restype = _Cookie
            reply = getattr(self._xcb, f"{name}_reply")
            reply.restype = ctypes.c_void_p
            reply.argtypes = [ctypes.c_void_p, _Cookie, ctypes.c_void_p]
        for name in ("xcb_get_property_value", "xcb_get_setup"):
            getattr(self._xcb, name).restype = ctypes.c_void_p
            getattr(self._xcb, name).argtypes = [ctypes.c_void_p]
        self._xcb.xcb_get_property_value_length.argtypes = [ctypes.c_void_p]
        self._xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
        self._connection = self._xcb.xcb_connect(None, None)
        self._atoms: dict[str, int] = {}
        self.works = self._xcb.xcb_connection_has_error(self._connection) == 0
        self._root = self._first_root() if self.works else 0

    def windows(self) -> list[int]:
        """All that a window manager looks after, the topmost first."""
        return self._numbers(self._root, "_NET_CLIENT_LIST_STACKING")[::-1]

    def number(self, window: int, name: str) -> int:
        """A number that a window bears; 0 without."""
        return next(iter(self._numbers(window, name)), 0)

    def text(self, window: int, name: str) -> str:
        """A text that a window bears."""
        return self._property(window, name).decode("utf-8", "replace")

    def is_a(self, window: int, kind: str) -> bool:
        """Whether a window is of this type."""
        return self._atom(kind) in self._numbers(window, "_NET_WM_WINDOW_TYPE")

    def button_is_down(self) -> bool:
        """Whether one of the first three buttons of the mouse, or the tip of a pen, is pressed."""
        reply = self._ask("xcb_query_pointer", self._root)
        if not reply:
            return False
        # Behind root, child and two positions of the reply.
        pressed = ctypes.c_uint16.from_address(reply + 24).value & _BUTTONS
        self._c.free(reply)
        return bool(pressed)

    def _first_root(self) -> int:
        self._xcb.xcb_setup_roots_iterator.restype = _Roots
        self._xcb.xcb_setup_roots_iterator.argtypes = [ctypes.c_void_p]
        setup = self._xcb.xcb_get_setup(self._connection)
        roots = self._xcb.xcb_setup_roots_iterator(setup)
        return ctypes.c_uint32.from_address(roots.data).value

    def _numbers(self, window: int, name: str) -> list[int]:
        data = self._property(window, name)
        return list(struct.unpack(f"={len(data) // 4}I", data[: len(data) // 4 * 4]))

    def _property(self, window: int, name: str) -> bytes:
        arguments = (0, window, self._atom(name), 0, 0, _LONGEST)
        reply = self._ask("xcb_get_property", *arguments)
        if not reply:
            return b""
        length = self._xcb.xcb_get_property_value_length(reply)
        data = ctypes.string_at(self._xcb.xcb_get_property_value(reply), length)
        self._c.free(reply)
        return data

    def _atom(self, name: str) -> int:
        if name not in self._atoms:
            reply = self._ask("xcb_intern_atom", 0, len(name), name.encode("ascii"))
            if not reply:
                return 0
            # The reply's first eight bytes are the same in every answer; the atom follows.
            self._atoms[name] = ctypes.c_uint32.from_address(reply + 8).value
            self._c.free(reply)
        return self._atoms[name]

    def _ask(self, name: str, *arguments: Any) -> int:
        connection = ctypes.c_void_p(self._connection)
        sized = _SIZES[name]
        cookie = getattr(self._xcb, name)(
            connection, *(kind(value) for kind, value in zip(sized, arguments, strict=True))
        )
        return getattr(self._xcb, f"{name}_reply")(connection, cookie, None) or 0


class _Roots(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    ]


_SIZES: dict[str, tuple[Any, ...]] = {
    "xcb_intern_atom": (ctypes.c_uint8, ctypes.c_uint16, ctypes.c_char_p),
    "xcb_query_pointer": (ctypes.c_uint32,),
    "xcb_get_property": (ctypes.c_uint8, *(ctypes.c_uint32,) * 5),
}
