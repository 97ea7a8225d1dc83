"""Model files that lie: a sentence that names the file, and no memory beyond its own size."""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import acetate.model_import.convert_pickle as unpickling
from acetate.errors import AcetateError, ModelDamaged
from acetate.models.files import read_config
from acetate.models.identify import recognise_file, shapes_in
from acetate.models.safetensors_header import read_header
from acetate.models.weights import read_weights

GOOD: dict[str, Any] = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]},
}


def write(path: Path, header: Any, room: int = 26, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    count = len(text) if length is None else length
    path.write_bytes(struct.pack("<Q", count) + text + bytes(room))
    return path


def changed(name: str, **fields: Any) -> dict[str, Any]:
    return {**GOOD, name: {**GOOD[name], **fields}}


LIES: dict[str, Any] = {
    "a tensor of 2^60 elements": changed("a", shape=[2**60]),
    "sides whose product is small modulo 2^64": changed("a", shape=[2**32, 2**32 + 1]),
    "sides beyond every number": changed("a", shape=[2**63]),
    "a negative side": changed("a", shape=[-2, -3]),
    "a fraction of a side": changed("a", shape=[2.0, 3]),
    "a side that is none": changed("a", shape=["2", 3]),
    "true as a side": changed("a", shape=[True, 6]),
    "a shape that is none": changed("a", shape=6),
    "a thousand dimensions": changed("a", shape=[1] * 1000),
    "past the end": changed("b", data_offsets=[24, 10_000]),
    "beyond the end": changed("b", data_offsets=[2**62, 2**62 + 2]),
    "before the beginning": changed("a", data_offsets=[-24, 0]),
    "backwards": changed("a", data_offsets=[24, 0]),
    "over each other": changed("b", data_offsets=[0, 2]),
    "half over each other": changed("b", data_offsets=[23, 25]),
    "with a gap": changed("b", data_offsets=[25, 27]),
    "too short for its shape": changed("a", data_offsets=[0, 23]),
    "a place of three numbers": changed("a", data_offsets=[0, 24, 24]),
    "no place": changed("a", data_offsets=None),
    "an unknown type": changed("a", dtype="F31"),
    "no type": changed("a", dtype=None),
    "a tensor that is a list": {**GOOD, "a": []},
    "notes that are a list": {**GOOD, "__metadata__": []},
    "a list": [],
    "a text": "x",
    "nothing": {},
    "half a character as a name": b'{"\\ud800": {}}',
    "no JSON": b"{",
    "no UTF-8": b'{"\xff": 1}',
    "depth": b"[" * 200_000,
    "deep objects": b'{"a":' * 50_000,
    "numbers without end": b'{"a": {"dtype": "F32", "shape": [' + b"9" * 100_000 + b"]}}",
    "NaN": b'{"a": NaN}',
    "a name twice": b'{"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, '
    b'"a": {"dtype": "F16", "shape": [1], "data_offsets": [24, 26]}}',
    "nothing, far": changed("a", shape=[0, 2**40, 2**40], data_offsets=[0, 0]),
    "a name without end": {"x" * 2000: {"dtype": "U8", "shape": [26], "data_offsets": [0, 26]}},
    "millions of brackets": b"[" + b"[]," * 700_000 + b"[]]",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_found_out_by_every_reader(tmp_path: Path, lie: str) -> None:
    path = write(tmp_path / "lie.safetensors", LIES[lie])
    for read in (read_header, shapes_in, recognise_file, read_weights):
        with pytest.raises(ModelDamaged, match=r"lie\.safetensors"):
            read(path)


@pytest.mark.parametrize("length", [0, 1, 2**20, 2**31, 2**63, 2**64 - 1])
def test_a_length_that_lies_costs_no_memory(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "lie.safetensors", GOOD, length=length)
    for read in (read_header, read_weights):
        with pytest.raises(ModelDamaged):
            read(path)


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 8, b"{}", b"PK\x03\x04" + bytes(100)])
def test_a_stump_is_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "stump.safetensors").write_bytes(data)
    with pytest.raises(ModelDamaged):
        read_header(tmp_path / "stump.safetensors")


def test_a_header_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 100 * 2**20))
        file.truncate(8 + 100 * 2**20)
    with pytest.raises(ModelDamaged, match="header"):
        read_header(path)


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    tensors = {"a": torch.zeros(2, 3), "empty": torch.zeros(0, 4), "b": torch.tensor(1.0).half()}
    save_file(tensors, tmp_path / "good.safetensors", {"who": "us"})
    header = read_header(tmp_path / "good.safetensors")
    assert header.shapes == {"a": (2, 3), "empty": (0, 4), "b": ()}
    assert header.metadata == {"who": "us"} and header.types["b"] == "F16"
    assert set(read_weights(tmp_path / "good.safetensors")) == set(tensors)


def test_whatever_happens_to_a_file_ends_in_a_sentence(tmp_path: Path) -> None:
    """The wire's fuzz, for files: bytes changed, cut, added."""
    good = write(tmp_path / "good", GOOD).read_bytes()
    chance = random.Random(5)
    damaged = 0
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            how = chance.random()
            if how < 0.7:
                data[chance.randrange(len(data))] = chance.randrange(256)
            elif how < 0.85 and len(data) > 20:
                del data[chance.randrange(len(data)) :]
            else:
                at = chance.randrange(len(data))
                data[at:at] = chance.randbytes(chance.randint(1, 9))
            data = data or bytearray(b"\0")
        path = tmp_path / "fuzzed.safetensors"
        path.write_bytes(data)
        try:
            read_weights(path)
        except AcetateError as error:
            damaged += 1
            assert "fuzzed.safetensors" in str(error)
    assert damaged > 700


def convert(path: Path, target: Path) -> str:
    """What the reader of pickles says."""
    with pytest.raises(ValueError) as refused:
        unpickling.convert(path, target)
    assert not target.exists()
    return str(refused.value)


class Program:
    def __reduce__(self) -> Any:
        return (print, ("a program of somebody else's runs",))


def test_a_pickle_with_a_program_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"a": torch.zeros(2), "b": Program()}, path)
    assert "program" in convert(path, tmp_path / "out")
    path.write_bytes(pickle.dumps(Program()))
    convert(path, tmp_path / "out")


def test_a_pickled_tensor_that_is_larger_than_its_file_is_not_spread_out(tmp_path: Path) -> None:
    path = tmp_path / "wide.pth"
    torch.save({"a": torch.zeros(1).expand(2**40)}, path)
    assert "more weights than it does" in convert(path, tmp_path / "out")


def test_a_packed_archive_is_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1024, 1024)}, buffer)
    path = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(buffer) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    assert "packed" in convert(path, tmp_path / "out")


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x02", b"PK\x03\x04", b"\x80\x04" + b"(" * 5000, bytes(99)]
)
def test_a_damaged_pickle_is_said_to_be(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "stump.pth").write_bytes(data)
    assert convert(tmp_path / "stump.pth", tmp_path / "out").startswith("it ")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"[" * 100_000, b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff\xfe"]
)
def test_a_model_index_that_lies_is_damaged(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "model_index.json").write_bytes(text)
    with pytest.raises(ModelDamaged):
        read_config(tmp_path / "model_index.json")


def test_a_model_index_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "model_index.json", "wb") as file:
        file.truncate(2**30)
    with pytest.raises(ModelDamaged):
        read_config(tmp_path / "model_index.json")
