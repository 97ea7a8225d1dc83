"""Files that Acetate keeps for itself, as damage or a stranger would leave them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acetate.app.sockets import CannotServe
from acetate.cli.serve import token_in
from acetate.errors import AcetateError
from acetate.models import hashing, licences
from acetate.models.own_register import own_file, own_files, own_folder, own_named
from acetate.models.registry import models
from acetate_bridge.client.discovery import Runtime, read_runtime, runtime_folder, write_runtime
from acetate_bridge.client.paths import SETTINGS_BYTES, config_folder
from acetate_bridge.client.presets import NoPreset, presets_in, read_preset
from acetate_bridge.client.shared_servers import SharedServer, known_servers, remember
from acetate_bridge.editing.job_file import TaskBook
from acetate_bridge.panel.settings import PanelSettings, load_settings

OWN: dict[str, Any] = {
    "name": "a.safetensors", "role": "base", "families": ["sd15"], "sha256": "0" * 64,
    "source": "/x", "kind": "", "form": "file", "native": 512, "preset": "", "facts": {},
    "supplied": {}, "fills": False, "notes": [],
}  # fmt: skip
TEXTS = (
    b"", b"\0" * 100, b"\xff\xfe\x80", b"5", b"null", b'"x"', b"[" * 100_000, b'{"a":' * 100_000,
    b"9" * 10_000, b"1e999", b'{"a', b'{"\\ud800": "\\udfff"}', b"[[]]", b"[null]", b'["x", {}]',
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, -1, 10**30, 1e308, 2**63 - 1, "", "x\0y", "../../x", "C:x", [], {}, [[]],
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "RUNTIME", "MODELS"):
        monkeypatch.setenv(f"ACETATE_{name}_DIR", str(tmp_path / name.lower()))
    for name in ("CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f"xdg-{name.lower()}"))


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def long(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(SETTINGS_BYTES + 1)


THINGS: tuple[Callable[[Path], None], ...] = (pipe, endless, long, Path.mkdir)


def panel() -> None:
    assert load_settings(config_folder() / "panel.json") == PanelSettings()


def preset() -> None:
    folder = config_folder() / "presets"
    assert presets_in(folder) == {}
    with pytest.raises(NoPreset):
        read_preset(folder / "a.json")


def jobs() -> None:
    book = TaskBook(config_folder() / "jobs", "krita")
    assert book.records == []
    book.close()


def imports() -> None:
    for look in (own_files, models, lambda: own_file("a.safetensors")):
        with pytest.raises(AcetateError, match="cannot be read"):
            look()


def accepted() -> None:
    licences.accept(["a licence"])


def hashes() -> None:
    assert hashing.known_hashes({}) == {}


def token() -> None:
    with pytest.raises(CannotServe):
        token_in(config_folder() / "token")


READERS: dict[str, tuple[Callable[[], Path], Callable[[], None]]] = {
    "the panel's settings": (lambda: config_folder() / "panel.json", panel),
    "a preset": (lambda: config_folder() / "presets" / "a.json", preset),
    "jobs on their way": (lambda: config_folder() / "jobs" / "krita-1.json", jobs),
    "the list of imports": (lambda: own_folder() / "imported.json", imports),
    "accepted licences": (licences.licences_file, accepted),
    "remembered hashes": (hashing.hashes_file, hashes),
    "the token": (lambda: config_folder() / "token", token),
}


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices are files on POSIX systems alone")
@pytest.mark.parametrize("make", THINGS)
@pytest.mark.parametrize("what", READERS)
def test_what_is_no_file_of_that_kind_is_neither_waited_for_nor_read(
    what: str, make: Callable[[Path], None]
) -> None:
    place, look = READERS[what]
    place().parent.mkdir(parents=True, exist_ok=True)
    make(place())
    look()


@pytest.mark.parametrize("what", READERS)
def test_whatever_it_holds_comes_to_a_sentence_or_to_the_defaults(what: str) -> None:
    place, look = READERS[what]
    place().parent.mkdir(parents=True, exist_ok=True)
    for text in TEXTS:
        place().write_bytes(text)
        look()


def test_an_import_is_listed_as_it_was_written_or_not_at_all() -> None:
    own_folder().mkdir()
    register = own_folder() / "imported.json"
    register.write_text(json.dumps([OWN]))
    assert [own.name for own in own_files()] == ["a.safetensors"] and "a" in models()
    for field in OWN:
        for odd in ODD:
            register.write_text(json.dumps([OWN, {**OWN, field: odd}]))
            try:
                for own in own_files():
                    # A name is joined to the folder, and its file deleted with the import.
                    assert (own_folder() / own.name).parent == own_folder(), odd
                    own_named(own.name, own.role)
                models()
            except AcetateError as error:
                assert "cannot be read" in error.message, (field, odd)
    register.write_text(json.dumps([{**OWN, "of a later version": 1}]))
    imports()


def test_a_runtime_file_with_odd_values_is_none_or_a_server(tmp_path: Path) -> None:
    good = Runtime(os.getpid(), "127.0.0.1", 7860, "x" * 43, 1)
    path = write_runtime(good)
    assert read_runtime() == good
    for field in ("pid", "host", "port", "token", "protocol", "version"):
        for odd in ODD:
            path.write_text(json.dumps({**vars(good), field: odd}))
            found = read_runtime()
            assert found is None or 0 < found.port < 2**16
    shutil.rmtree(runtime_folder())


def test_one_damaged_pairing_does_not_cost_the_others() -> None:
    folder = config_folder() / "shared-servers"
    folder.mkdir(parents=True, mode=0o700)
    file = folder / "servers.json"
    file.touch(0o600)
    good = {"certificate": "a", "token": "b"}
    for odd in ("x", 5, None, [], {}, {"certificate": "a"}, {"certificate": 5, "token": "b"}):
        file.write_text(json.dumps({"here:1": odd, "there:1": good}))
        assert list(known_servers()) == ["there:1"], odd


def test_pairing_anew_keeps_a_list_that_cannot_be_read() -> None:
    folder = config_folder() / "shared-servers"
    folder.mkdir(parents=True, mode=0o700)
    file = folder / "servers.json"
    file.touch(0o600)
    file.write_text('{"there:1": {"certificate"')
    remember("here:1", SharedServer("a", "b"))
    assert list(known_servers()) == ["here:1"]
    assert (folder / "servers.json.old").read_text() == '{"there:1": {"certificate"'
