"""Somebody on the network between two machines: who writes down all, or ends the encryption."""

from __future__ import annotations

import ssl

from tests.app.links import Proxy


class Relay(Proxy):
    """Passes everything on; `heard` is all that it could read.

    With an `identity` (a file with key and certificate) it shows that certificate instead of the
    server's, so that it reads what is encrypted.
    """

    def __init__(self, port: int, identity: str = "") -> None:
        shown = upstream = None
        if identity:
            shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            shown.load_cert_chain(identity)
            upstream = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            upstream.check_hostname = False
            upstream.verify_mode = ssl.CERT_NONE
        super().__init__(port, shown, upstream)
        self.heard = bytearray()

    def _hear(self, piece: bytes) -> None:
        self.heard += piece
