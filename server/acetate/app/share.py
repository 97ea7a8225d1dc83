"""A server for other machines: its certificate and token, made on first use and kept.

Both lie in a folder of their own below the data. Whoever was paired knows them; to pair anew with
nobody left in, remove that folder while the server is stopped.
"""

from __future__ import annotations

import datetime
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acetate_bridge.client.discovery import make_private, write_private
from acetate_bridge.client.private_folders import read_private

FOLDER = "share"
_IDENTITY, _TOKEN = "identity.pem", "token"
_YEARS = 50
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Share:
    """`identity` is the file with key and certificate, `certificate` the latter in DER."""

    identity: Path
    certificate: bytes
    token: str = field(repr=False)

    def context(self) -> ssl.SSLContext:
        """What encrypts the connections of other machines."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.identity)
        return context


def open_share(data_folder: Path) -> Share:
    """What is kept, or a new one. Blocks; raises OSError, ValueError for what is damaged."""
    folder = make_private(data_folder / FOLDER)
    identity, token = folder / _IDENTITY, folder / _TOKEN
    if not identity.exists():
        write_private(identity, _new_identity())
    if not token.exists():
        write_private(token, secrets.token_urlsafe(_TOKEN_BYTES))
    certificate = x509.load_pem_x509_certificate(read_private(identity).encode())
    known = read_private(token).strip()
    if len(known) < _TOKEN_BYTES:
        raise ValueError(f"{token} does not hold a token")
    return Share(identity, certificate.public_bytes(serialization.Encoding.DER), known)


def _new_identity() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Acetate")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=365))
        .not_valid_after(today + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def addresses_here() -> list[str]:
    """Addresses of this machine that others may reach it by, those of its own networks first."""
    found = [
        each.address
        for _, addresses in sorted(psutil.net_if_addrs().items())
        for each in addresses
        if each.family == socket.AF_INET and not each.address.startswith("127.")
    ]
    return found or [socket.gethostname()]
