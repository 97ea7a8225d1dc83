"""How two machines that share a short code come to trust each other (CPace, draft-irtf-cfrg-cpace).

A code of six letters could be guessed from any proof that it goes into directly. Here it becomes a
generator of a group, both sides raise it to secrets of their own, and what they agree on says
nothing of the code to whoever listens or answers in their place: he has one guess for each attempt,
and the server allows few. The certificate that each side sees goes into the generator, so nobody
who ends the encryption in between gets any further than one who guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are read as 1, 1, 0 and V, or make words."""
CODE_LENGTH = 6

_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22"
    "514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6"
    "F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D"
    "C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E8603"
    "9B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864"
    "D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB31"
    "43DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
"""Group 15 of RFC 3526: a safe prime of 3,072 bits."""
_WIDTH = 384
_EXPONENT_BITS = 256
_LABEL = b"acetate pairing 1"
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


class BadShare(ValueError):
    """What the other side sent is not a share of the group."""


def new_code() -> str:
    """A code such as K7Q-M2X."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:3]}-{letters[3:]}"


def read_code(text: str) -> str:
    """The six letters of a code as a person typed it; "" for what is none."""
    letters = text.upper().translate(_ALIKE)
    letters = "".join(letter for letter in letters if letter not in " -_.")
    known = len(letters) == CODE_LENGTH and all(letter in CODE_LETTERS for letter in letters)
    return letters if known else ""


@dataclass(frozen=True)
class Proofs:
    """What each side shows the other to prove that it had the same code and certificate."""

    client: str
    server: str


class Half:
    """One side of a pairing. `certificate` is the one of the connection, in DER."""

    def __init__(self, code: str, certificate: bytes) -> None:
        digest = hashlib.sha256(certificate).digest()
        # A square: the subgroup of prime order, in which nobody knows its logarithm.
        self._generator = pow(_hashed(_LABEL, code.encode(), digest), 2, _PRIME)
        self._digest = digest
        self._secret = secrets.randbits(_EXPONENT_BITS) | 1
        self.share = pow(self._generator, self._secret, _PRIME).to_bytes(_WIDTH, "big").hex()

    def agree(self, client_share: str, server_share: str) -> Proofs:
        """The proofs of both sides, once both shares are known. Raises BadShare."""
        theirs = server_share if client_share == self.share else client_share
        # Doubled, so that a share outside of the subgroup says nothing of the secret.
        common = pow(_read_share(theirs), 2 * self._secret, _PRIME)
        if common == 1:
            raise BadShare
        key = hashlib.sha256(
            _joined(
                _LABEL,
                self._digest,
                client_share.encode(),
                server_share.encode(),
                common.to_bytes(_WIDTH, "big"),
            )
        ).digest()
        return Proofs(_proof(key, b"client"), _proof(key, b"server"))


def _read_share(text: str) -> int:
    try:
        number = int.from_bytes(bytes.fromhex(text), "big") if len(text) == 2 * _WIDTH else 0
    except ValueError:
        number = 0
    if not 1 < number < _PRIME - 1:
        raise BadShare
    return number


def _hashed(*parts: bytes) -> int:
    """A number below the prime, as good as evenly drawn."""
    return int.from_bytes(hashlib.shake_256(_joined(*parts)).digest(_WIDTH + 16), "big") % _PRIME


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _proof(key: bytes, side: bytes) -> str:
    return hmac.new(key, side, hashlib.sha256).hexdigest()
