"""Somebody at the address of a paired server, with what can be had without its key."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acetate.app.share import Share, open_share
from acetate_bridge.client.address import Target
from acetate_bridge.client.handshake import prove
from acetate_bridge.client.pairing import CannotPair, pair
from acetate_bridge.client.server_request import NoAnswer, ask_target
from acetate_bridge.client.shared_servers import known_servers
from acetate_bridge.protocol.pairing_proof import Half
from tests.app.server_process import LONG, TOKEN

CODE = "K7Q-M2X"


class Impostor:
    """Shows one certificate after another, a connection each; `heard` is what it could read."""

    def __init__(self, *shown: ssl.SSLContext | None, answer: bytes = b"") -> None:
        self.heard: list[bytes] = []
        self._shown, self._answer, self._closing = shown, answer, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Impostor:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> list[bytes]:
        """Wait for all that was sent; what it could read of each connection."""
        if not self._closing:
            self._closing = True
            socket.create_connection(("127.0.0.1", self.port)).close()
            self._thread.join()
            self._listening.close()
        return self.heard

    def _serve(self) -> None:
        while True:
            link, _ = self._listening.accept()
            with link:
                if self._closing:
                    return
                link.settimeout(LONG)
                self.heard.append(b"")
                with contextlib.suppress(OSError):
                    self._listen(link, self._shown[min(len(self.heard), len(self._shown)) - 1])

    def _listen(self, link: socket.socket, shown: ssl.SSLContext | None) -> None:
        with shown.wrap_socket(link, server_side=True) if shown else link as open_link:
            while piece := open_link.recv(65536):
                self.heard[-1] += piece
                if self._answer and (shown is None or b"\r\n\r\n" in self.heard[-1]):
                    open_link.sendall(self._answer)
                    return


def issued(folder: Path, like: Share, *, by: str = "itself", past: bool = False) -> Path:
    """A file with a new key and a certificate for it, that says what the pinned one says."""
    pinned = x509.load_der_x509_certificate(like.certificate)
    key, authority = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    end = pinned.not_valid_after_utc
    if past:
        end = pinned.not_valid_before_utc + datetime.timedelta(days=1)
    leaf = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(pinned.subject if by == "itself" else leaf)
        .issuer_name(pinned.subject)
        .public_key(key.public_key())
        .serial_number(pinned.serial_number)
        .not_valid_before(pinned.not_valid_before_utc)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=by == "itself", path_length=None), critical=True)
    )
    certificate = builder.sign(key if by == "itself" else authority, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = ssl.DER_cert_to_PEM_cert(like.certificate) if by != "itself" else ""
    file = folder / "forged.pem"
    file.write_bytes(
        private + certificate.public_bytes(serialization.Encoding.PEM) + chain.encode()
    )
    return file


def showing(identity: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    return context


def of_old(identity: Path) -> ssl.SSLContext:
    """The right certificate, over what was broken long ago."""
    context = showing(identity)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def nameless() -> ssl.SSLContext:
    """Encryption with nobody in particular."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


FORGERIES: dict[str, Callable[[Path, Share], ssl.SSLContext]] = {
    "another key under the same name": lambda folder, like: showing(issued(folder, like)),
    "another key, grown old": lambda folder, like: showing(issued(folder, like, past=True)),
    "issued in its name, with it behind": lambda folder, like: showing(
        issued(folder, like, by="its name")
    ),
    "encryption of old": lambda folder, like: of_old(like.identity),
    "no certificate": lambda folder, like: nameless(),
}


def asked(target: Target) -> None:
    with pytest.raises(NoAnswer):
        ask_target(target, "GET", "/v1/models")


def opened(target: Target) -> None:
    with pytest.raises(OSError):
        asyncio.run(prove(target, LONG))


@pytest.fixture
def paired(tmp_path: Path) -> Share:
    return open_share(tmp_path / "data")


def target_of(share: Share, port: int) -> Target:
    certificate = ssl.DER_cert_to_PEM_cert(share.certificate)
    return Target(f"wss://127.0.0.1:{port}/v1/session", TOKEN, False, certificate)


@pytest.mark.parametrize("reach", [asked, opened])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_whoever_lacks_the_key_hears_nothing_at_all(
    paired: Share, tmp_path: Path, forgery: str, reach: Callable[[Target], None]
) -> None:
    with Impostor(FORGERIES[forgery](tmp_path, paired)) as impostor:
        reach(target_of(paired, impostor.port))
    assert impostor.end() == [b""]


@pytest.mark.parametrize("reach", [asked, opened])
def test_who_does_not_encrypt_is_told_nothing_in_clear(
    paired: Share, reach: Callable[[Target], None]
) -> None:
    with Impostor(None, answer=b"HTTP/1.1 200 OK\r\n\r\n") as impostor:
        reach(target_of(paired, impostor.port))
    (heard,) = impostor.end()
    assert heard and b"HTTP" not in heard and TOKEN.encode() not in heard


def test_the_right_one_is_talked_to(paired: Share) -> None:
    with Impostor(paired.context(), answer=b"HTTP/1.1 401 No\r\n\r\n") as server:
        asked(target_of(paired, server.port))
    (heard,) = server.end()
    assert heard.startswith(b"GET /v1/models") and TOKEN.encode() not in heard


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.mark.usefixtures("own_settings")
def test_a_certificate_is_not_exchanged_in_the_middle_of_a_pairing(
    paired: Share, tmp_path: Path
) -> None:
    half = Half(CODE.replace("-", ""), paired.certificate)
    body = json.dumps({"pairing": "x", "share": half.share}).encode()
    answer = (
        b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    other = showing(issued(tmp_path, paired))
    with (
        Impostor(paired.context(), other, answer=answer) as impostor,
        pytest.raises(CannotPair, match=f"127.0.0.1:{impostor.port}"),
    ):
        pair(f"127.0.0.1:{impostor.port}", CODE)
    (heard,) = impostor.end()
    assert heard.startswith(b"POST /v1/pairings HTTP/1.1")
    assert known_servers() == {}
