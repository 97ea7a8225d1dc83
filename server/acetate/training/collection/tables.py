"""Parquet files of pictures with captions, as the data sets of the hub have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from acetate.training.collection.entries import CollectionError, Entry
from acetate.training.collection.shards import CAPTION_KEYS, caption_in

_PICTURE_KEYS = ("image", "png", "picture", "rgba")


def read_table(path: Path, name: str, faults: Counter[str]) -> list[Entry]:
    """The rows of a file with a picture, by keys that begin with `name`.

    Raises CollectionError without pyarrow.
    """
    try:
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise CollectionError(
            f"{path.name} is a Parquet file, which pyarrow reads, and it is not installed.",
            "Install it with `pip install 'acetate[parquet]'`, or take the file away.",
        ) from error
    try:
        file = parquet.ParquetFile(path)
        names = set(file.schema_arrow.names)
        picture = next((key for key in _PICTURE_KEYS if key in names), None)
        if picture is None:
            faults["tables without a column of pictures"] += 1
            return []
        columns = [key for key in CAPTION_KEYS if key in names]
        entries: list[Entry] = []
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            table = file.read_row_group(group, columns=columns)
            texts = table.to_pylist() if columns else [{}] * rows
            entries += [
                Entry(
                    f"{name}/{group}-{row:06}",
                    caption_in(texts[row]),
                    RowBytes(path, group, row, picture),
                )
                for row in range(rows)
            ]
        return entries
    except Exception:  # Whatever a damaged table raises in a library of C++.
        faults["tables cut short or damaged"] += 1
        return []


@dataclass(frozen=True)
class RowBytes:
    """Reads the picture in one row of a table."""

    path: Path
    group: int
    row: int
    column: str

    def __call__(self) -> bytes:
        """Raises OSError."""
        try:
            cell: object = _pictures(self.path, self.group, self.column)[self.row].as_py()
        except Exception as error:  # As above.
            raise OSError(f"{self.path.name} is damaged") from error
        data: object = cell
        if isinstance(cell, dict):
            data = cast("dict[str, object]", cell).get("bytes")
        if not isinstance(data, bytes):
            raise OSError(f"{self.path.name} holds no picture in row {self.row}")
        return data


@lru_cache(maxsize=1)
def _pictures(path: Path, group: int, column: str) -> Any:
    """A column of one row group, which is read whole: kept for the rows beside."""
    parquet: Any = import_module("pyarrow.parquet")
    return parquet.ParquetFile(path).read_row_group(group, [column]).column(0)
