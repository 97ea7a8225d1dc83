"""The proxies that a system sets for its programs, as the hub's client can read them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

_NAMES = ("HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY")


def set_proxies() -> list[str]:
    """Names of the variables that name a proxy for the hub, the most particular first."""
    spelled = (each for name in _NAMES for each in (name, name.lower()))
    return [name for name in spelled if os.environ.get(name)]


@contextmanager
def usable_proxies() -> Generator[None]:
    """Meanwhile `socks://`, as desktops write it, is the `socks5://` that it stands for."""
    before = {name: os.environ[name] for name in set_proxies()}
    try:
        for name, value in before.items():
            scheme, colon, rest = value.partition("://")
            if colon and scheme.lower() == "socks":
                os.environ[name] = f"socks5://{rest}"
        yield
    finally:
        os.environ.update(before)
