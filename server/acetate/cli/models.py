"""`acetate models`: which weights there are."""

from __future__ import annotations

import typer

models = typer.Typer(help="See which models there are.", no_args_is_help=True)


@models.callback()
def _models() -> None:
    pass


@models.command("list")
def list_models() -> None:
    """List the models and whether they can be used."""
    from acetate.models.loading import EMBEDDED, EMBEDDED_FOLDER

    ready = (EMBEDDED_FOLDER / "model_index.json").is_file()
    print(f"{EMBEDDED:<16} {'ready' if ready else 'missing'}  text, background")
