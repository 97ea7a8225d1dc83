"""Collections in every form, and what is wrong in them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from acetate.cli.application import app
from acetate.errors import BadRequest, CannotWrite
from acetate.training.collection import inspection
from acetate.training.collection.entries import CollectionError, Unusable, read_layer, words_of
from acetate.training.collection.folder import open_collection
from acetate.training.collection.inspection import inspect_collection
from acetate.training.conversion.layer_data import split, usable
from tests.training.layer_pictures import claimed, layer, write_layers


@pytest.fixture
def call() -> Callable[..., Result]:
    return lambda *words: CliRunner().invoke(app, ["train", *map(str, words)])


def captions(folder: Path) -> dict[str, str]:
    return {entry.key: entry.caption for entry in open_collection(folder).entries}


def png(number: int = 0) -> bytes:
    data = io.BytesIO()
    layer(number).save(data, format="PNG")
    return data.getvalue()


def write_shard(path: Path, names: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_captions_come_from_the_table_the_text_beside_or_the_name(tmp_path: Path) -> None:
    for name in ("told.png", "beside.png", "a-green_apple.png", "00012.png"):
        (tmp_path / name).write_bytes(png())
    (tmp_path / "beside.txt").write_text("words beside\n")
    told = {"file_name": "told.png", "text": "words of the table"}
    rows = [told, {"nothing": 1}, ["told.png"], "told.png", 7, None]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{cut")
    assert captions(tmp_path) == {
        "told.png": "words of the table",
        "beside.png": "words beside",
        "a-green_apple.png": "a green apple",
        "00012.png": "",
    }
    assert open_collection(tmp_path).faults["lines of metadata.jsonl that say nothing"] == 6


def test_a_table_of_captions_that_cannot_be_read_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layers(tmp_path, 1)
    (tmp_path / "metadata.jsonl").touch()
    real = Path.read_text

    def refusing(path: Path, *words: str) -> str:
        if path.name == "metadata.jsonl":
            raise PermissionError(13, "Permission denied")
        return real(path, *words)

    monkeypatch.setattr(Path, "read_text", refusing)
    found = open_collection(tmp_path)
    assert found.faults == {"metadata.jsonl that cannot be read": 1}
    assert [entry.caption for entry in found.entries] == ["red disc 00"]


@pytest.mark.parametrize("name", ["000123", "9f86d081884c7d659a2feaa0", "__-1"])
def test_a_number_or_a_hash_is_no_caption(name: str) -> None:
    assert words_of(name) == ""


def test_shards_are_read_by_the_names_of_their_members(tmp_path: Path) -> None:
    names = {"a/1.png": png(1), "a/1.txt": b"one", "2.webp": b"", "2.json": b'{"caption": "two"}'}
    write_shard(tmp_path / "shard-0.tar", {**names, "3.cls": b"7"})
    assert captions(tmp_path) == {"shard-0.tar/a/1": "one", "shard-0.tar/2": "two"}
    (first, *_) = [e for e in open_collection(tmp_path).entries if e.caption == "one"]
    assert read_layer(first).shape == (96, 96, 4)


def test_shards_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for folder, number in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        write_shard(tmp_path / folder / "0.tar", {"1.png": png(number), "1.txt": folder.encode()})
    assert captions(tmp_path) == {"a/0.tar/1": "a", "b/0.tar/1": "b"}


def test_a_shard_that_is_cut_short_gives_what_is_whole_and_is_counted(tmp_path: Path) -> None:
    whole = write_shard(tmp_path / "s.tar", {f"{n}.png": png(n) for n in range(4)}).read_bytes()
    first = 512 + -(-len(png(0)) // 512) * 512
    # In the header of the second picture, at its end, and in the picture.
    for size in (first + 100, first, first + 512 + 100):
        (tmp_path / "s.tar").write_bytes(whole[:size])
        said: list[str] = []
        kept = usable(open_collection(tmp_path), said.append)
        assert 1 <= len(kept) < 4
        assert "1 shards cut short or damaged" in said[0]


def test_bad_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    write_layers(tmp_path, 3)
    (tmp_path / "cut.png").write_bytes(png()[:200])
    Image.new("CMYK", (64, 64), (10, 200, 30, 0)).save(tmp_path / "print.jpg")
    (tmp_path / "wide.png").write_bytes(claimed(30_000, 30_000))
    Image.new("RGBA", (64, 64)).save(tmp_path / "nothing.png")
    (tmp_path / "notes.png").write_text("no picture")
    said: list[str] = []
    assert len(usable(open_collection(tmp_path), said.append)) == 3
    assert said == [
        "3 layers to learn from; left out: 2 damaged or no picture, 1 empty, 1 too large, "
        "1 without transparency"
    ]


def test_where_nothing_can_be_learned_from_a_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="no folder"):
        open_collection(tmp_path / "none")
    with pytest.raises(CollectionError, match="no pictures"):
        open_collection(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(CollectionError, match="None of the 1 pictures is a layer"):
        usable(open_collection(tmp_path), print)


def test_one_layer_is_told_to_be_little(tmp_path: Path) -> None:
    write_layers(tmp_path, 1)
    said: list[str] = []
    entries = usable(open_collection(tmp_path), said.append)
    assert split(entries) == (entries, [])
    assert "learned by heart" in said[1]


def test_what_is_held_out_is_never_learned_from(tmp_path: Path) -> None:
    entries = open_collection(write_layers(tmp_path, 40)).entries
    learned, held_out = split(entries)
    assert len(held_out) == 2 and not {e.key for e in learned} & {e.key for e in held_out}


def test_an_inspection_finds_each_fault(tmp_path: Path, call: Callable[..., Result]) -> None:
    for number in range(3):
        layer(number, 256).save(tmp_path / f"thing-{number}.png")
    layer(1, 300).save(tmp_path / "again.webp", quality=90)
    layer(2, 256).save(tmp_path / "0001.png")
    y, x = np.mgrid[0:256, 0:256]
    inside = np.clip(90 - np.hypot(y - 128, x - 128), 0, 4) / 4
    ringed = np.zeros((256, 256, 4), np.uint8)
    ringed[..., :3] = np.where(inside == 1, 30, 255)[..., None]
    ringed[..., 3] = inside * 255
    Image.fromarray(ringed).save(tmp_path / "ringed.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "photo.jpg")
    (tmp_path / "cut.png").write_bytes(png()[:90])
    found = inspect_collection(open_collection(tmp_path))
    faults = {one.key: set(one.faults) for one in found.looked}
    assert faults["thing-0.png"] == set()
    assert "without a caption" in faults["0001.png"]
    assert "duplicates of another" in faults["thing-2.png"]
    assert "with a halo" in faults["ringed.png"]
    assert faults["photo.jpg"] == {"without transparency"}
    assert faults["cut.png"] == {"damaged or no picture"}
    result = call(
        "inspect", tmp_path, "--sheet", tmp_path / "s.png", "--report", tmp_path / "r.json"
    )
    assert result.exit_code == 0, result.output
    assert "with a halo" in result.output
    assert json.loads((tmp_path / "r.json").read_text())["faults"]["with a halo"] == 1
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > 8 * 128


def test_pairs_are_a_layer_what_is_behind_it_and_both(
    tmp_path: Path, call: Callable[..., Result]
) -> None:
    write_layers(tmp_path / "layers", 3)
    (tmp_path / "scenes").mkdir()
    Image.new("RGB", (200, 120), (20, 90, 40)).save(tmp_path / "scenes/green-field.png")
    words = ("--layers", tmp_path / "layers", "--pictures", tmp_path / "scenes")
    result = call("pairs", *words, "--out", tmp_path / "pairs", "--count", 3, "--size", 64)
    assert result.exit_code == 0, result.output
    told = (tmp_path / "pairs/metadata.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in told]
    assert [row["pair"] for row in rows] == ["0000000", "0000001", "0000002"]
    assert rows[0]["words"]["blended"].endswith("in front of green field")
    parts = [
        Image.open(tmp_path / "pairs" / f"0000001.{part}.png")
        for part in ("layer", "background", "blended")
    ]
    assert [part.size for part in parts] == [(64, 64)] * 3
    whole = parts[1].convert("RGBA")
    whole.alpha_composite(parts[0])
    assert np.array_equal(np.array(whole.convert("RGB")), np.array(parts[2]))
    assert len(open_collection(tmp_path / "pairs").entries) == 9


def test_pairs_are_not_mixed_with_others(tmp_path: Path, call: Callable[..., Result]) -> None:
    data = write_layers(tmp_path / "layers", 2)
    words = ("pairs", "--layers", data, "--pictures", data, "--out", tmp_path / "pairs")
    brief = ("--count", 2, "--size", 32)
    assert call(*words, *brief).exit_code == 0
    first = {path.name: path.read_bytes() for path in (tmp_path / "pairs").iterdir()}
    assert call(*words, *brief).exit_code == 0
    assert isinstance(call(*words, *brief, "--seed", 2).exception, BadRequest)
    assert {path.name: path.read_bytes() for path in (tmp_path / "pairs").iterdir()} == first
    assert call(*words, "--count", 3, "--size", 32).exit_code == 0


@pytest.mark.parametrize("option", ["--sheet", "--report"])
def test_what_cannot_be_written_is_told(
    option: str, tmp_path: Path, call: Callable[..., Result]
) -> None:
    data = write_layers(tmp_path / "layers", 1)
    (tmp_path / "file").touch()
    result = call("inspect", data, option, tmp_path / "file" / "new")
    assert isinstance(result.exception, CannotWrite)
    words = ("--layers", data, "--pictures", data, "--out", tmp_path / "file")
    assert isinstance(call("pairs", *words, "--count", 1).exception, CannotWrite)


def test_only_thumbnails_that_are_shown_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "SHOWN", 2)
    for number in range(4):
        layer(number, 256).save(tmp_path / f"thing-{number}.png")
        layer(number, 90).save(tmp_path / f"small-{number}.png")
    found = inspect_collection(open_collection(tmp_path))
    assert len(found.looked) == 8
    for faulty in (True, False):
        kept = [bool(one.thumbnail) for one in found.looked if bool(one.faults) == faulty]
        assert kept == [True, True, False, False]


def test_a_picture_that_vanishes_is_unusable(tmp_path: Path) -> None:
    (entry, *_) = open_collection(write_layers(tmp_path, 1)).entries
    next(tmp_path.glob("*.png")).unlink()
    with pytest.raises(Unusable, match="No such file"):
        read_layer(entry)


def test_pairs_tell_what_was_lost_with_a_shard(tmp_path: Path, call: Callable[..., Result]) -> None:
    write_layers(tmp_path / "layers", 2)
    shard = write_shard(tmp_path / "layers/s.tar", {f"{n}.png": png(n) for n in range(4)})
    shard.write_bytes(shard.read_bytes()[:-2000])
    Image.new("RGB", (64, 64)).save(tmp_path / "room.png")
    words = ("--layers", tmp_path / "layers", "--pictures", tmp_path, "--out", tmp_path / "pairs")
    result = call("pairs", *words, "--count", 1, "--size", 32)
    assert result.exit_code == 0, result.output
    assert "left out: shards cut short or damaged" in result.output


def test_where_no_pair_can_be_made_it_is_said_of_which_pictures_and_why(
    tmp_path: Path, call: Callable[..., Result]
) -> None:
    write_layers(tmp_path / "layers", 2)
    for folder in ("cut", "opaque"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cut/a.png").write_bytes(png()[:90])
    Image.new("CMYK", (64, 64)).save(tmp_path / "opaque/print.jpg")
    for layers, pictures, said in (
        ("layers", "cut", "None of the 1 pictures can be used: 1 damaged or no picture."),
        ("opaque", "layers", "None of the 1 layers can be used: 1 without transparency."),
    ):
        words = ("--layers", tmp_path / layers, "--pictures", tmp_path / pictures)
        error = call("pairs", *words, "--out", tmp_path / "pairs", "--count", 1).exception
        assert isinstance(error, CollectionError) and error.message == said
        assert "acetate train inspect" in error.hint
        (tmp_path / "pairs/pairs.json").unlink()
