"""Sockets that a server listens on, or a sentence on why it cannot."""

from __future__ import annotations

import errno
import socket
import sys

from acetate.errors import AcetateError


class CannotServe(AcetateError):
    """The server cannot start; the sentence says why."""

    code = "cannot_serve"


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises CannotServe with the reason."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError:
        raise CannotServe(f"There is no address {host} to listen on.") from None
    if sys.platform != "win32":
        # Elsewhere this would let another program take over the port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"Port {port} is taken by another program: use --port.") from None
        raise CannotServe(f"Cannot listen on {host} port {port}: {error.strerror}.") from None
    return listening


def listen_beside(host: str, port: int) -> socket.socket | None:
    """The same port of the other loopback address, since `localhost` is either; None without."""
    if host not in ("127.0.0.1", "localhost") or not socket.has_ipv6:
        return None
    try:
        listening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("::1", port))
    except OSError:
        listening.close()
        return None
    return listening


def listen_for_others(port: int) -> socket.socket:
    """A bound socket on every address of this machine. Raises CannotServe."""
    # A kernel may know IPv6 and have none.
    families = [socket.AF_INET6, socket.AF_INET] if socket.has_dualstack_ipv6() else []
    refused: OSError | None = None
    for family in families or [socket.AF_INET]:
        try:
            return _on_every_address(family, port)
        except OSError as error:
            refused = error
    assert refused is not None
    if refused.errno == errno.EADDRINUSE:
        raise CannotServe(f"Port {port} is taken by another program: use --share-port.") from None
    raise CannotServe(f"Port {port} cannot be shared: {refused.strerror}.") from None


def _on_every_address(family: socket.AddressFamily, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    except OSError:
        listening.close()
        raise
    return listening
