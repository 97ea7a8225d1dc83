"""`acetate models`: which weights there are, what they can do, and whether they are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acetate.models.catalog import Entry

models = typer.Typer(help="See which models there are.", no_args_is_help=True)

ModelId = Annotated[str, typer.Argument(help="Id of a model, as `list` shows it.")]


@models.command("list")
def list_models() -> None:
    """List the models, whether their files are here, and what they can do."""
    from acetate.models.catalog import catalog
    from acetate.models.store import missing_parts

    for entry in catalog().values():
        state = "missing" if missing_parts(entry) else "here"
        print(f"{entry.id:<10} {state:<8} {', '.join(entry.modes):<52} {entry.name}")


@models.command("show")
def show_model(model: ModelId) -> None:
    """Say what a model is made of, needs and is licensed for."""
    from acetate.models.catalog import entry_named
    from acetate.models.store import base_folder, located

    entry = entry_named(model)
    _line("name", entry.name)
    _line("modes", ", ".join(entry.modes))
    _line("size", f"{entry.native} × {entry.native} at best")
    _line("memory", f"about {entry.memory:g} GB")
    _line("licence", entry.licence)
    if entry.base:
        state = "here" if base_folder(entry.base) else "missing"
        _line("base", f"{entry.base} ({entry.base_licence}), {state}")
    for part in entry.parts:
        file = part.file
        state = "here" if located(file) else "missing"
        _line("file", f"{file.name}, {file.size:g} MB, {state}, for {', '.join(part.modes)}")
        _line("", f"from {file.repository}, SHA-256 {file.sha256 or 'not published'}")


@models.command("verify")
def verify_models(
    model: Annotated[str, typer.Argument(help="Id of a model; all by default.")] = "",
) -> None:
    """Read the weight files that are here and compare them with what was published."""
    from acetate.models.catalog import catalog, entry_named

    damaged = 0
    for entry in [entry_named(model)] if model else catalog().values():
        damaged += _verify(entry)
    if damaged:
        raise typer.Exit(2)


def _verify(entry: Entry) -> int:
    """Prints a line for each file and returns how many are damaged."""
    from acetate.errors import AcetateError
    from acetate.models.loading import EMBEDDED, load_pipeline
    from acetate.models.store import verify

    if entry.id == EMBEDDED:
        try:
            _line(entry.id, f"good, SHA-256 {load_pipeline(device='cpu').model_hash}")
        except AcetateError as error:
            _line(entry.id, error.message)
            return 1
        return 0
    checked = verify(entry)
    for check in checked:
        _line(entry.id, f"{check.file.name}: {check.state}")
    return sum(check.state == "damaged" for check in checked)


def _line(name: str, value: str) -> None:
    print(f"{name:<10} {value}")
