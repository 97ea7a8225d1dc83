"""Parquet tables of pictures with captions."""

from __future__ import annotations

import io
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from acetate.cli.application import app
from acetate.training.collection.entries import CollectionError, Unusable, read_layer
from acetate.training.collection.folder import open_collection
from acetate.training.conversion.layer_data import usable
from tests.training.layer_pictures import layer

PICTURES = 5


def png(number: int) -> bytes:
    data = io.BytesIO()
    layer(number, 256).save(data, format="PNG")
    return data.getvalue()


def write_table(path: Path, columns: dict[str, list[Any]], rows_in_a_group: int = 2) -> Path:
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(arrow.table(columns), path, row_group_size=rows_in_a_group)
    return path


def as_on_the_hub() -> list[Any]:
    """Pictures as `datasets` writes them."""
    return [{"bytes": png(number), "path": f"{number}.png"} for number in range(PICTURES)]


@pytest.mark.parametrize("pictures", [as_on_the_hub(), [png(n) for n in range(PICTURES)]])
@pytest.mark.parametrize("caption", ["text", "caption"])
def test_rows_are_layers_with_their_captions(
    tmp_path: Path, pictures: list[Any], caption: str
) -> None:
    words = [f"thing {number}" for number in range(PICTURES)]
    write_table(tmp_path / "train-0.parquet", {"image": pictures, caption: words, "id": words})
    entries = open_collection(tmp_path).entries
    assert [entry.caption for entry in entries] == words
    assert len({entry.key for entry in entries}) == PICTURES
    # In any order, and across the groups of rows.
    for number in (4, 0, 3, 1, 2, 4):
        assert np.array_equal(read_layer(entries[number]), np.asarray(layer(number, 256)))


def test_an_inspection_counts_what_is_in_a_table_and_names_its_captions(tmp_path: Path) -> None:
    pictures = as_on_the_hub()
    words = [*[f"thing {number}" for number in range(PICTURES - 1)], None]
    write_table(tmp_path / "train-0.parquet", {"image": pictures, "text": words})
    report = tmp_path / "report.json"
    result = CliRunner().invoke(
        app, ["train", "inspect", str(tmp_path), "--report", str(report)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    found = json.loads(report.read_text())
    assert [row["caption"] for row in found["pictures"]] == [*words[:-1], ""]
    assert {(row["width"], row["height"]) for row in found["pictures"]} == {(256, 256)}
    assert found["faults"] == {"without a caption": 1}


def test_rows_without_a_picture_are_left_out_and_counted(tmp_path: Path) -> None:
    pictures = as_on_the_hub()
    pictures[1] = {"bytes": None, "path": "elsewhere.png"}
    pictures[2] = {"bytes": png(2)[:100], "path": "2.png"}
    write_table(tmp_path / "train-0.parquet", {"image": pictures, "text": ["a thing"] * PICTURES})
    said: list[str] = []
    kept = usable(open_collection(tmp_path), said.append)
    assert len(kept) == PICTURES - 2
    assert "1 cannot be read, 1 damaged or no picture" in said[0]
    with pytest.raises(Unusable):
        read_layer(open_collection(tmp_path).entries[1])


def test_a_table_that_is_damaged_or_of_no_pictures_is_counted(tmp_path: Path) -> None:
    whole = write_table(tmp_path / "a.parquet", {"image": as_on_the_hub()})
    (tmp_path / "cut.parquet").write_bytes(whole.read_bytes()[:-20])
    (tmp_path / "head.parquet").write_bytes(b"PAR1")
    write_table(tmp_path / "words.parquet", {"text": ["one", "two"]})
    collection = open_collection(tmp_path)
    assert len(collection.entries) == PICTURES
    assert collection.faults["tables cut short or damaged"] == 2
    assert collection.faults["tables without a column of pictures"] == 1


def test_without_pyarrow_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "a.parquet", {"image": as_on_the_hub()})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(CollectionError, match="not installed") as refused:
        open_collection(tmp_path)
    assert "acetate[parquet]" in refused.value.hint
