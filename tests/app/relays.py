"""Somebody on the network between two machines: who writes down all, or ends the encryption."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType


class Relay:
    """Listens on a port of its own and passes everything on; `heard` is all that it could read.

    With an `identity` (a file with key and certificate) it shows that certificate instead of the
    server's, so that it reads what is encrypted.
    """

    def __init__(self, port: int, identity: str = "") -> None:
        self._target = port
        self._identity = identity
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.heard = bytearray()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Relay:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread that waits for a connection is woken by one.
        self._closing = True
        with contextlib.suppress(OSError):
            socket.create_connection(self._listening.getsockname()).close()
        self._threads[0].join(30)
        self._listening.close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(30)
        for each in self._open:
            each.close()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            if self._closing:
                connection.close()
                return
            self._start(self._serve, connection)

    def _serve(self, inner: socket.socket) -> None:
        self._open.append(inner)
        try:
            outer = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # The server has gone.
            inner.close()
            return
        self._open.append(outer)
        try:
            if self._identity:
                ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                ours.load_cert_chain(self._identity)
                inner = ours.wrap_socket(inner, server_side=True)
                self._open.append(inner)
                theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                theirs.check_hostname = False
                theirs.verify_mode = ssl.CERT_NONE
                outer = theirs.wrap_socket(outer)
                self._open.append(outer)
        except OSError:
            for each in (inner, outer):
                each.close()
            return
        self._start(self._pump, inner, outer)
        self._pump(outer, inner)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self.heard += piece
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
