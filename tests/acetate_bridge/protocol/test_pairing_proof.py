"""A short code between two machines: agreed on by arithmetic that gives nothing away."""

from __future__ import annotations

import pytest

from acetate_bridge.protocol import pairing_proof
from acetate_bridge.protocol.pairing_proof import BadShare, Half, new_code, read_code


def both(ours: Half, theirs: Half) -> tuple[object, object]:
    return ours.agree(ours.share, theirs.share), theirs.agree(ours.share, theirs.share)


def test_the_same_code_and_certificate_give_the_same_proofs() -> None:
    one, other = both(Half("K7QM2X", b"cert"), Half("K7QM2X", b"cert"))
    assert one == other
    again, _ = both(Half("K7QM2X", b"cert"), Half("K7QM2X", b"cert"))
    assert again != one


@pytest.mark.parametrize(("code", "certificate"), [("K7QM2Y", b"cert"), ("K7QM2X", b"other")])
def test_another_code_or_certificate_gives_others(code: str, certificate: bytes) -> None:
    one, other = both(Half("K7QM2X", b"cert"), Half(code, certificate))
    assert one.client != other.client and one.server != other.server  # type: ignore[attr-defined]


def test_client_and_server_prove_different_things() -> None:
    one, _ = both(Half("K7QM2X", b"cert"), Half("K7QM2X", b"cert"))
    assert one.client != one.server  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "number",
    [0, 1, -1, pairing_proof._PRIME - 1, pairing_proof._PRIME, pairing_proof._PRIME + 1],
)
def test_shares_that_would_fix_the_key_are_refused(number: int) -> None:
    share = (number % 2**3072).to_bytes(384, "big").hex()
    half = Half("K7QM2X", b"cert")
    with pytest.raises(BadShare):
        half.agree(share, half.share)


@pytest.mark.parametrize("text", ["", "zz", "00" * 383, "gg" * 384, "é" * 768])
def test_what_is_no_share_is_refused(text: str) -> None:
    half = Half("K7QM2X", b"cert")
    with pytest.raises(BadShare):
        half.agree(text, half.share)


def test_the_prime_is_that_of_the_standard() -> None:
    """RFC 3526, 4: 2^3072 - 2^3008 - 1 + 2^64 * (floor(2^2942 pi) + 1690314)."""
    unity = 1 << 3200

    def arctan_of_inverse(number: int) -> int:
        term = total = unity // number
        divisor, sign = 3, -1
        while term := term // number**2:
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    pi = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
    whole = pi >> (3200 - 2942)
    assert pairing_proof._PRIME == 2**3072 - 2**3008 - 1 + 2**64 * (whole + 1690314)


def test_a_code_is_read_as_people_type_it() -> None:
    assert read_code("k7q m2x") == read_code("K7Q-M2X") == "K7QM2X"
    assert read_code("ol0-i1u") == "01011V"
    assert read_code("K7Q") == read_code("K7Q-M2X9") == read_code("K7Q-M2!") == ""
    drawn = {new_code() for _ in range(50)}
    assert len(drawn) > 45 and all(len(read_code(code)) == 6 for code in drawn)
