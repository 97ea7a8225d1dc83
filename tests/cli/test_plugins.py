"""`acetate plugins` as a person uses it, in a home of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acetate import __version__
from tests.cli.conftest import Acetate

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the folders of this system; the others are faked elsewhere"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for folder in (".config/GIMP/3.0", ".config/GIMP/3.2", ".local/share/krita"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def test_installing_says_what_it_does_and_uninstalling_undoes_it(
    home: Path, acetate: Acetate
) -> None:
    before = {path for path in home.rglob("*") if path.is_file()}
    outcome = acetate("plugins", "install", "all")
    assert outcome.code == 0, outcome.err
    for words in ("GIMP 3.0: installed", "GIMP 3.2: installed", "Krita: installed", "Enabling it"):
        assert words in outcome.out
    assert (home / ".config/GIMP/3.2/plug-ins/acetate_gimp/acetate_gimp.py").is_file()
    assert (home / ".local/share/krita/pykrita/acetate_krita.desktop").is_file()
    assert "enable_acetate_krita=true" in (home / ".config/kritarc").read_text()

    status = acetate("plugins", "status")
    assert status.out.count(__version__) == 3 and f"{__version__}, enabled" in status.out
    again = acetate("plugins", "install", "krita")
    assert f"in place of {__version__}" in again.out and "Enabling" not in again.out

    outcome = acetate("plugins", "remove", "all")
    assert outcome.code == 0 and outcome.out.count("removed") == 3
    left = {path for path in home.rglob("*") if path.is_file()} - before
    assert left == set()
    assert acetate("plugins", "status").out.count("not installed") == 3
    assert acetate("plugins", "uninstall", "gimp").out.count("not installed") == 2


def test_krita_is_not_enabled_against_the_painters_will(home: Path, acetate: Acetate) -> None:
    outcome = acetate("plugins", "install", "krita", "--no-enable")
    assert outcome.code == 0 and "Enable it: Settings" in outcome.out
    assert not (home / ".config/kritarc").exists()


def test_a_folder_of_ones_own_is_used(home: Path, acetate: Acetate, tmp_path: Path) -> None:
    folder = tmp_path / "portable" / "plug-ins"
    mistyped = acetate("plugins", "install", "gimp", "--folder", folder)
    assert mistyped.code == 2 and "--create" in mistyped.err and not folder.parent.exists()
    assert acetate("plugins", "install", "gimp", "--folder", folder, "--create").code == 0
    assert (folder / "acetate_gimp" / "acetate_gimp.py").is_file()
    assert not (home / ".config/GIMP/3.0/plug-ins").exists()
    assert acetate("plugins", "install", "all", "--folder", folder).code == 2


def test_without_an_editor_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acetate: Acetate
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    outcome = acetate("plugins", "install", "gimp")
    assert outcome.code == 2 and "Start it once" in outcome.err


def test_the_zips_are_built_where_they_are_wanted(tmp_path: Path, acetate: Acetate) -> None:
    outcome = acetate("plugins", "build", "-o", tmp_path)
    assert outcome.code == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"acetate-gimp-{__version__}.zip",
        f"acetate-krita-{__version__}.zip",
    }
