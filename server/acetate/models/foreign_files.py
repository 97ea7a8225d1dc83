"""What a file is that holds no weights, told from its first bytes, so that it can be named."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

from acetate_bridge.protocol.json_text import read_json

_LOOK = 1024
"""Bytes at the beginning that are looked at."""

_SAMPLES = 64
"""Places at which a long file is looked at."""

_STARTS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it and import what is inside",
    b"Rar!": "a RAR archive: unpack it and import what is inside",
    b"\x1f\x8b": "a gzip archive: unpack it and import what is inside",
    b"\x89PNG": "a picture (PNG), not weights",
    b"\xff\xd8\xff": "a picture (JPEG), not weights",
    b"RIFF": "a picture (WebP), not weights",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive: unpack it and import what is inside",
    b"\xfd7zXZ": "an xz archive: unpack it and import what is inside",
    b"BZh": "a bzip2 archive: unpack it and import what is inside",
    b"MZ": "a program for Windows, not weights",
    b"\x7fELF": "a program, not weights",
    b"\x89HDF": "a file of Keras or TensorFlow: take the same model as .safetensors",
    b"d8:announce": "a torrent and not the file itself: open it with a torrent program",
    b"# xet version": "a pointer of Xet and not the file itself: fetch it with `hf download`",
    b"%PDF": "a PDF document, not weights",
    b"\x08\x00\x00\x00TRT": "an engine of TensorRT, made for one card and one other program",
}
_UNFINISHED = (".part", ".crdownload", ".aria2", ".download", ".incomplete", ".tmp")
_END_OF_ARCHIVE = b"PK\x05\x06"
_TAIL = 2**16 + 22
"""Within so many bytes of its end an archive says where its list of files lies."""
_LONGEST_LIST = 4 * 2**20
_LFS = b"version https://git-lfs"
_LFS_SIZE = re.compile(rb"size (\d+)")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head")


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a JSON object, and the object."""
    with path.open("rb") as file:
        begin = file.read(9)
    return len(begin) == 9 and begin[8:] == b"{" and int.from_bytes(begin[:8], "little") < 2**40


def is_pickled(path: Path) -> bool:
    """Whether a file begins as those of `torch.save` do, in either of their forms."""
    with path.open("rb") as file:
        begin = file.read(4)
    if begin[:2] == b"PK":
        return any(name.endswith("data.pkl") for name in _names_in(path))
    return begin[:1] == b"\x80"


def what_it_is(path: Path) -> str:
    """Words that go on after “FILE is”; empty for what may hold weights."""
    if not os.path.isfile(path):
        return "no file: a folder, a pipe, or a link that leads nowhere"
    try:
        size = os.path.getsize(path)
        with path.open("rb") as file:
            begin = file.read(_LOOK)
    except OSError as error:
        return f"not to be read ({(error.strerror or 'unknown').lower()})"
    if not begin:
        return "empty: download it again"
    if begin.startswith(_LFS):
        told = _LFS_SIZE.search(begin)
        real = f", which has {int(told[1][:18]) / 1e6:.0f} MB" if told else ""
        return f"a pointer of Git LFS and not the file itself{real}: fetch it with `git lfs pull`"
    for start, words in _STARTS.items():
        if begin.startswith(start):
            return words
    if begin[257:262] == b"ustar":
        return "a tar archive: unpack it and import what is inside"
    beside = path.with_name(f"{path.name}.aria2")  # Which is there until all has come.
    if path.suffix.lower() in _UNFINISHED or os.path.exists(beside):
        return "a download that is not finished: let it end, or fetch it again"
    if not begin.strip(b"\0"):
        return "nothing but zeros, as a download that broke off leaves: fetch it again"
    text = begin.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.lower().startswith(_MARKUP):
        return "a web page and not the file itself, most likely one that asks to log in"
    if begin[:2] == b"PK" and not is_pickled(path):
        return "a zip archive: unpack it and import what is inside"
    if is_safetensors(path):
        return _cut(begin, size)
    if text.startswith((b"http://", b"https://", b"[InternetShortcut]")):
        return "an address and not the file itself: fetch what it leads to"
    if text[:1] in (b"{", b"["):
        return f"a text in JSON and not weights{_error_in(text)}"
    return "a text and not weights" if _is_text(begin) else ""


def ends_in_nothing(path: Path) -> bool:
    """Whether a file of weights has numbers only up to some place, and zeros in its last quarter.

    So it is left by programs that take the room on the disk before anything has come.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        begin = _LOOK
        if is_safetensors(path):
            file.seek(0)
            begin = min(size, 8 + int.from_bytes(file.read(8), "little"))

        def empty(start: int, end: int) -> bool:
            for step in range(_SAMPLES):
                file.seek(start + (end - start) * step // _SAMPLES)
                if file.read(min(_LOOK, end - file.tell())).strip(b"\0"):
                    return False
            return True

        last = begin + (size - begin) * 3 // 4
        return empty(last, size) and not empty(begin, last)


def _is_text(begin: bytes) -> bool:
    """Whether these are letters and nothing else; a letter that is cut at the end is none."""
    try:
        words = begin[:-4].decode("utf-8") if len(begin) == _LOOK else begin.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() for letter in words)


def _cut(begin: bytes, size: int) -> str:
    length = int.from_bytes(begin[:8], "little")
    if length + 8 > size:
        return f"half a download: it ends after {size} bytes, within its own list of tensors"
    return ""


def _error_in(text: bytes) -> str:
    """What a server said instead of sending a file."""
    try:
        said = read_json(text)
        words: Any = said.get("error") or said.get("message")
        if hasattr(words, "get"):
            words = words.get("message")
    except (ValueError, AttributeError):
        return ""
    return f": it says “{str(words)[:120]}”" if words else ""


def _names_in(path: Path) -> list[str]:
    """Of an archive with a list that is no longer than that of the largest model."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - _TAIL))
            tail = file.read()
        end = tail.rfind(_END_OF_ARCHIVE)
        if end < 0 or int.from_bytes(tail[end + 12 : end + 16], "little") > _LONGEST_LIST:
            return []
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        return []
