"""Pairing with a server on another machine: its address and a short code, once.

    pair("192.168.1.20:7861", "K7Q-M2X")
    Client("krita-…", on_event, address="192.168.1.20:7861")

Afterwards its address is enough for every client of this user.
"""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from acetate_bridge.client.address import BadAddress, place_of, written
from acetate_bridge.client.server_request import json_object
from acetate_bridge.client.shared_servers import SHARE_PORT, SharedServer, remember
from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.pairing_proof import BadShare, Half, read_code
from acetate_bridge.protocol.proof import same

PAIRINGS_PATH = "/v1/pairings"
_MOST_BYTES = 65536


class CannotPair(AcetateError):
    """The machines were not paired."""

    code = "cannot_pair"

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def pair(address: str, code: str, timeout: float = 15.0) -> str:
    """Trust the server at an address from now on; returns its `host:port`.

    Blocks for up to `timeout` seconds an answer. The code is sent to nobody: who answers has to
    know it, too, and has to hold the key of the certificate that is kept. Raises CannotPair.
    """
    letters = read_code(code)
    if not letters:
        raise CannotPair("A code has six letters and digits, such as K7Q-M2X.", _ANOTHER)
    try:
        host, port = place_of(address, SHARE_PORT)
    except BadAddress as error:
        raise CannotPair(f"{error}.") from error
    place = written(host, port)
    try:
        server = _converse(host, port, letters, timeout)
        remember(place, server)
    except ssl.SSLError as error:
        raise CannotPair(f"What answers at {place} is no shared server.", _START) from error
    except http.client.HTTPException as error:
        raise CannotPair(f"What answers at {place} is no shared server.", _START) from error
    except OSError as error:
        if isinstance(error, (ConnectionError, TimeoutError)) or error.errno is not None:
            raise CannotPair(f"Nothing answers at {place} ({_reason(error)}).", _START) from error
        raise CannotPair(f"The server cannot be kept: {error}.") from error
    return place


_START = "Share it there: acetate serve --share; and check the address."
_ANOTHER = "A new one is shown on that machine by acetate share."


def _converse(host: str, port: int, code: str, timeout: float) -> SharedServer:
    # Nothing is known of its certificate yet; that it is the right one is what is proven here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    try:
        connection.connect()
        connection.auto_open = 0  # Another connection could have another certificate.
        seen: bytes = connection.sock.getpeercert(binary_form=True)  # type: ignore[assignment]
        half = Half(code, seen)
        begun = _post(connection, PAIRINGS_PATH, {"share": half.share})
        try:
            proofs = half.agree(half.share, str(begun.get("share")))
        except BadShare:
            raise CannotPair("What answers there does not keep to the rules.", _START) from None
        answer = {"pairing": str(begun.get("pairing")), "proof": proofs.client}
        ended = _post(connection, f"{PAIRINGS_PATH}/proof", answer)
        if not same(str(ended.get("proof")), proofs.server):
            raise CannotPair("What answers there does not know the code.", _START)
        return SharedServer(ssl.DER_cert_to_PEM_cert(seen), str(ended.get("token")))
    finally:
        connection.close()


def _post(connection: http.client.HTTPSConnection, path: str, value: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(value), headers)
    answer = connection.getresponse()
    found = json_object(answer.read(_MOST_BYTES))
    if answer.status not in (200, 201):
        message = str(found.get("message") or "What answers there is no shared server.")
        raise CannotPair(message, str(found.get("hint") or _START))
    return found


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
