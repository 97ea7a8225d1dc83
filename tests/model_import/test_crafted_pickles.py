"""Pickles and archives that nobody's trainer writes: a sentence, and no more memory than theirs."""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from pathlib import Path

import pytest
import torch

import acetate.model_import.convert_pickle as unpickling

MARK = b"("


def text(words: str) -> bytes:
    data = words.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def whole(number: int) -> bytes:
    data = pickle.encode_long(number)
    return b"\x8a" + bytes([len(data)]) + data


def known(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def several(*values: bytes) -> bytes:
    return MARK + b"".join(values) + b"t"


def called(what: bytes, *values: bytes) -> bytes:
    return what + several(*values) + b"R"


def named(**values: bytes) -> bytes:
    """A dictionary of what a pickle makes."""
    return mapping(*((text(name), value) for name, value in values.items()))


def mapping(*entries: tuple[bytes, bytes]) -> bytes:
    return b"}" + MARK + b"".join(key + value for key, value in entries) + b"u"


def stored(
    key: str = "0", kind: str = "FloatStorage", count: int = 8, device: str = "cpu"
) -> bytes:
    """What lies in the archive under a key."""
    return (
        several(text("storage"), known("torch", kind), text(key), text(device), whole(count)) + b"Q"
    )


def shape(*sizes: int) -> bytes:
    return several(*(whole(size) for size in sizes))


NONE_YET = called(known("collections", "OrderedDict"))
REBUILD = known("torch._utils", "_rebuild_tensor_v2")
EIGHT = (stored(), whole(0), shape(2, 4), shape(4, 1), b"\x89", NONE_YET)
TENSOR = called(REBUILD, *EIGHT)
LONGS = called(
    REBUILD, stored("1", "LongStorage", 2), whole(0), shape(2, 1), shape(1, 1), b"\x89", NONE_YET
)
LONG_ROW = called(
    REBUILD, stored("1", "LongStorage", 2), whole(0), shape(2), shape(1), b"\x89", NONE_YET
)
ROW = called(REBUILD, stored(), whole(0), shape(8), shape(1), b"\x89", NONE_YET)
NESTED = called(known("torch._utils", "_rebuild_nested_tensor"), ROW, LONGS, LONGS, LONG_ROW)
ENDLESS = called(
    known("torch._tensor", "_rebuild_from_type_v2"),
    REBUILD,
    known("torch", "Tensor"),
    several(stored(), whole(0), shape(2**14, 2**14), shape(0, 0), b"\x89", NONE_YET),
    named(numel=known("torch", "Tensor"), element_size=known("torch", "Size")),
)


def archived(value: bytes, packing: int = zipfile.ZIP_STORED, numbers: bytes = bytes(32)) -> bytes:
    """A file of torch's present form that holds a value."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + value + b".")
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", numbers)
        archive.writestr("archive/data/1", struct.pack("<2q", 1, 1))
    return buffer.getvalue()


def converted(folder: Path, data: bytes) -> None:
    (folder / "crafted.pth").write_bytes(data)
    unpickling.convert(folder / "crafted.pth", folder / "out.safetensors")


def test_what_is_crafted_well_is_taken(tmp_path: Path) -> None:
    converted(tmp_path, archived(named(weight=TENSOR)))
    assert (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(
    "key",
    [
        text("\ud800"),
        text("\x1b[2J\n"),
        text("n" * 300),
        whole(10**300),
        several(whole(1)),
        b"N",
        whole(3) + b"\x85" * 5,
    ],
    ids=["half a letter", "a command", "long", "a number", "a pair", "nothing", "deep"],
)
def test_weights_under_names_that_are_none_are_refused(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(ValueError, match="names that no weights have"):
        converted(tmp_path, archived(mapping((key, TENSOR))))
    # Beside the weights a trainer may keep what it likes.
    converted(tmp_path, archived(mapping((key, text("rate")), (text("weight"), TENSOR))))


def test_names_do_not_grow_beyond_the_file(tmp_path: Path) -> None:
    leaves = mapping(*((text(str(each)), TENSOR) for each in range(3)))
    long_name = text("n" * 200)
    with pytest.raises(ValueError, match="names that no weights have"):
        converted(tmp_path, archived(mapping((long_name, mapping((long_name, leaves))))))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (NESTED, "a form that no model"),
        (ENDLESS, "claims to hold more"),
        (called(known("builtins", "bytearray"), whole(2**28)), "damaged"),
        (called(known("_codecs", "encode"), text("漢"), text("punycode")), "damaged"),
        (called(known("os", "mkdir"), text("executed")), "could be a program"),
        (called(known("torch.hub", "load"), text("executed")), "could be a program"),
        (text("anything") + b"Q", "could be a program"),
        (several(text("module"), text("x")) + b"Q", "could be a program"),
        (stored("1", count=2**62), "damaged"),
        (stored(key="../../../etc/passwd"), "damaged"),
    ],
    ids=[
        "tensors in tensors",
        "attributes instead of methods",
        "zeros by number",
        "a slow codec",
        "a command",
        "a download",
        "a foreign identifier",
        "an identifier of code",
        "more than there is",
        "a way out",
    ],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_what_no_trainer_writes_is_refused(tmp_path: Path, value: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        converted(tmp_path, archived(named(weight=TENSOR, other=value)))
    assert not Path("executed").exists() and not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_bytes_beside_the_weights_do_not_matter(tmp_path: Path, zipped: bool) -> None:
    state = {"weight": torch.ones(2), "made_by": b"\xff trainer", "more": bytearray(b"\xfe")}
    torch.save(state, tmp_path / "kept.pth", _use_new_zipfile_serialization=zipped)
    unpickling.convert(tmp_path / "kept.pth", tmp_path / "out")


def test_an_archive_with_two_lists_of_its_files_is_refused(tmp_path: Path) -> None:
    """One that says that all lies there as it is, and another with packed zeros for torch."""
    packed = archived(named(weight=TENSOR), zipfile.ZIP_DEFLATED, bytes(2**20))
    honest = archived(named(weight=TENSOR))
    end = packed.rfind(b"PK\x05\x06")
    begin, honest_end = honest.find(b"PK\x01\x02"), honest.rfind(b"PK\x05\x06")
    assert len(packed) - packed.find(b"PK\x01\x02") == len(honest) - begin
    with pytest.raises(ValueError, match="packed"):
        converted(tmp_path, packed)
    with pytest.raises(ValueError, match="damaged"):
        converted(tmp_path, packed[:end] + honest[begin:honest_end] + packed[end:])


def test_an_archive_whose_list_cannot_be_read_is_not_left_to_torch(tmp_path: Path) -> None:
    data = bytearray(archived(named(weight=TENSOR), zipfile.ZIP_DEFLATED, bytes(2**20)))
    first = data.find(b"PK\x01\x02")
    data[first + 6] = 99  # The version of ZIP that is needed to unpack it.
    with pytest.raises(ValueError, match="damaged"):
        converted(tmp_path, bytes(data))


def test_a_process_that_reads_pickles_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    limits: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    (tmp_path / "small.pth").write_bytes(b"\x80")
    unpickling._bound(tmp_path / "small.pth")  # pyright: ignore[reportPrivateUsage]
    assert 0 < limits[resource.RLIMIT_CPU][0] <= 100


ODD_NUMBERS = (0, 1, -1, 3, 9, 2**15, 2**62, 2**63, -(2**63))
ODD_DEVICES = ("cpu", "meta", "cuda:0", "nowhere")
ODD_KINDS = ("FloatStorage", "HalfStorage", "LongStorage", "QInt8Storage", "ByteStorage")


def test_whatever_a_pickle_asks_torch_to_build_ends_in_a_sentence(tmp_path: Path) -> None:
    chance = random.Random(29)

    def sizes() -> bytes:
        return shape(*chance.choices(ODD_NUMBERS, k=chance.randrange(4)))

    def odd() -> bytes:
        storage = stored(
            chance.choice("012"),
            chance.choice(ODD_KINDS),
            chance.choice((8, *ODD_NUMBERS)),
            chance.choice(ODD_DEVICES),
        )
        start = whole(chance.choice(ODD_NUMBERS))
        kind = known("torch", chance.choice(("float32", "int64", "quint8", "bool")))
        builder = chance.randrange(7)
        if builder == 0:
            return called(REBUILD, storage, start, sizes(), sizes(), b"\x89", NONE_YET)
        if builder == 1:
            meta = known("torch._utils", "_rebuild_meta_tensor_no_storage")
            return called(meta, kind, sizes(), sizes(), b"\x89")
        if builder == 2:
            layout = called(
                known("torch.serialization", "_get_layout"),
                text(chance.choice(("torch.sparse_coo", "torch.sparse_csr", "x"))),
            )
            content = several(chance.choice((TENSOR, LONGS)), TENSOR, sizes(), b"\x88")
            return called(known("torch._utils", "_rebuild_sparse_tensor"), layout, content)
        if builder == 3:
            scheme = several(known("torch", "per_tensor_affine"), TENSOR, start)
            quantised = known("torch._utils", "_rebuild_qtensor")
            return called(quantised, storage, start, sizes(), sizes(), scheme, b"\x89", NONE_YET)
        if builder == 4:
            inner = chance.choice((TENSOR, odd()))
            return called(known("torch._utils", "_rebuild_parameter"), inner, b"\x88", NONE_YET)
        if builder == 5:
            return TENSOR + several(storage, start, sizes(), sizes()) + b"b"
        return known("torch.nn.parameter", "Parameter") + several(odd()) + b"\x81"

    refused = 0
    for _ in range(200):
        try:
            converted(tmp_path, archived(named(weight=TENSOR, other=odd())))
        except ValueError as error:
            refused += 1
            assert str(error).startswith("it")
    assert 100 < refused < 195
