"""Which files a picture is painted with: named in its recipe, and held to a recipe's names."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from acetate.errors import AcetateError
from acetate.models.hashing import known_hashes


class FilesDiffer(AcetateError):
    """A recipe cannot be painted again exactly: one of its files is missing or has changed."""

    code = "files_differ"


class UsedFiles:
    """The files of one painting by name, with their SHA-256.

    `base` are those that every painting with the model uses.
    """

    def __init__(self, base: Mapping[str, Path]) -> None:
        self._base = dict(base)
        self._expected: Mapping[str, str] = {}
        self._used: dict[str, str] = {}

    def begin(self, expected: Mapping[str, str]) -> None:
        """Start a painting; files of a recipe that is painted again must be met (empty: none).

        Raises FilesDiffer, and ModelMissing for a file of the model that has gone.
        """
        self._used = {}
        self._expected = expected
        self._add(self._base)

    def use(self, path: Path, name: str = "") -> None:
        """The painting also needs this file. Raises FilesDiffer."""
        self._add({name or path.name: path})

    def use_part(self, name: str, sha256: str) -> None:
        """The painting also needs this part of a file. Raises FilesDiffer."""
        self._meet(name, sha256)

    @contextmanager
    def of_one(self) -> Generator[None]:
        """What is used in this block is of one variant alone, and the next may use others."""
        before = dict(self._used)
        try:
            yield
        finally:
            self._used = before

    def use_again(self, hashes: Mapping[str, str]) -> None:
        """The painting needs what it was begun with earlier, as `hashes` told then."""
        self._used |= hashes

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 in hex of all that was used since the painting began, by name."""
        return dict(sorted(self._used.items()))

    def check_complete(self) -> None:
        """Raise FilesDiffer if the recipe names a file that nothing has asked for."""
        if lacking := sorted(set(self._expected) - set(self._used)):
            raise FilesDiffer(
                f"The picture was painted with {', '.join(lacking)}, which this model does not use "
                "any more, so it cannot be painted again exactly."
            )

    def _add(self, files: Mapping[str, Path]) -> None:
        for name, sha256 in known_hashes(files).items():
            self._meet(name, sha256)

    def _meet(self, name: str, sha256: str) -> None:
        if self._expected and self._expected.get(name) != sha256:
            raise self._difference(name)
        self._used[name] = sha256

    def _difference(self, name: str) -> FilesDiffer:
        if name in self._expected:
            return FilesDiffer(
                f"The file {name} has changed since the picture was painted, "
                "so it cannot be painted again exactly.",
                "Put the earlier file back, or paint anew from the prompt.",
            )
        lacking = ", ".join(sorted(set(self._expected) - set(self._base) - set(self._used)))
        return FilesDiffer(
            f"The picture was painted without {name}"
            + (f", but with {lacking}, which is missing here." if lacking else "."),
            "Put the earlier files back, or paint anew from the prompt.",
        )
