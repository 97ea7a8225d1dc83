"""What an editor sets for its own Python and libraries is not for another program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from acetate_bridge.client.launcher import log_file, start_server
from acetate_bridge.client.surroundings import own_environment, program

MOUNT = "/tmp/.mount_kritaAbCdEf"
EDITORS = {
    "PYTHONHOME": f"{MOUNT}/usr",
    "PYTHONPATH": "/opt/krita/lib/python",
    "LD_LIBRARY_PATH": f"{MOUNT}/usr/lib",
    "QT_PLUGIN_PATH": f"{MOUNT}/usr/plugins",
    "QML2_IMPORT_PATH": f"{MOUNT}/usr/qml",
    "GI_TYPELIB_PATH": "/opt/gimp/typelib",
    "GTK_PATH": "/opt/gimp/gtk",
    "GDK_PIXBUF_MODULE_FILE": "/opt/gimp/loaders",
    "DYLD_LIBRARY_PATH": "/Applications/krita.app/lib",
    "APPDIR": MOUNT,
    "SSL_CERT_FILE": f"{MOUNT}/etc/ssl.pem",
}


def test_nothing_of_the_editor_is_handed_on() -> None:
    assert own_environment(EDITORS) == {}


def test_the_users_own_is_kept() -> None:
    own = {"HOME": "/home/ö x", "LANG": "de_DE.UTF-8", "HTTPS_PROXY": "http://proxy:3128", "E": ""}
    assert own_environment(own) == own


def test_paths_lose_what_leads_into_the_bundle() -> None:
    paths = {"PATH": f"{MOUNT}/usr/bin:/usr/bin:/home/me/bin", "APPDIR": MOUNT}
    assert own_environment(paths) == {"PATH": "/usr/bin:/home/me/bin"}
    unnamed = {"XDG_DATA_DIRS": f"{MOUNT}/usr/share:/usr/share"}
    assert own_environment(unnamed) == {"XDG_DATA_DIRS": "/usr/share"}


def test_what_the_packager_put_aside_comes_back() -> None:
    found = own_environment(
        {"LD_LIBRARY_PATH": f"{MOUNT}/lib", "LD_LIBRARY_PATH_ORIG": "/opt/cuda"}
    )
    assert found["LD_LIBRARY_PATH"] == "/opt/cuda"


def test_a_started_server_has_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("ACETATE_DATA_DIR", str(folder))
    for name, value in EDITORS.items():
        monkeypatch.setenv(name, value)
    child = start_server([sys.executable, "-c", "import os; print(sorted(os.environ))"])
    assert child.wait(120) == 0
    said = log_file().read_text()
    assert os.environ["APPDIR"] == MOUNT
    assert not [name for name in EDITORS if f"'{name}'" in said]


def test_a_program_in_the_folder_of_a_document_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, programs = tmp_path / "documents", tmp_path / "programs"
    for folder in (documents, programs):
        folder.mkdir()
        (folder / "acetate.EXE").touch(0o755)
    monkeypatch.chdir(documents)
    for path in ("", ".", "no/such/place", os.pathsep.join((".", "", str(programs)))):
        environment = {"PATH": path, "PATHEXT": ".COM;.EXE"}
        found = program("acetate", environment, "win32")
        assert found == (str(programs / "acetate.EXE") if str(programs) in path else None)
    (programs / "plain").touch(0o755)
    (programs / "notes").touch(0o644)
    environment = {"PATH": f"{programs}"}
    assert program("plain", environment, "linux") == str(programs / "plain")
    assert program("acetate", environment, "linux") is None
    if os.name != "nt":
        assert program("notes", environment, "linux") is None
