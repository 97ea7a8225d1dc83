"""`acetate models`: which weights there are, fetching them, and whether they are sound."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acetate.cli.telling import tell_server
from acetate.errors import BadRequest
from acetate_bridge.protocol.naming import printable

if TYPE_CHECKING:
    from acetate.models.catalog import Entry

models = typer.Typer(help="See, fetch and check models.", no_args_is_help=True)

AcceptLicence = Annotated[
    bool, typer.Option("--accept-licence", help="Accept the licences without being asked.")
]
ModelId = Annotated[str, typer.Argument(help="Id of a model, as `list` shows it.")]


@models.command("list")
def list_models() -> None:
    """List the models, whether their files are here, and what they can do."""
    from acetate.model_import.style_pull import imported
    from acetate.models.hub_cache import missing_parts
    from acetate.models.own_register import own_files
    from acetate.models.preview_decoders import preview_decoders
    from acetate.models.published_styles import published_styles
    from acetate.models.registry import models as known

    rows = [
        (
            entry.id,
            "missing" if missing_parts(entry) else "here",
            ", ".join(entry.modes),
            entry.name,
        )
        for entry in known().values()
    ]
    rows += [
        (style.id, "here" if imported(style) else "missing", f"{style.family} style", style.title)
        for style in published_styles().values()
    ]
    rows += [
        (entry.id, "missing" if missing_parts(entry) else "here", "previews", entry.name)
        for entry in preview_decoders().values()
    ]
    for own in own_files():
        words = " ".join(filter(None, (" or ".join(own.families), own.kind)))
        rows.append(("imported", own.role, words, own.name))
    first, second = (max(len(row[place]) for row in rows) for place in (0, 1))
    third = max(len(modes) for _, _, modes, _ in rows)
    for name, state, modes, title in rows:
        print(f"{name:<{first}}  {state:<{second}}  {modes:<{third}}  {title}")


@models.command("show")
def show_model(model: ModelId) -> None:
    """Say what a model is made of, needs and is licensed for."""
    from acetate.models.hub_cache import folder_of_base, located
    from acetate.models.licences import with_link
    from acetate.models.registry import model_named
    from acetate.models.rgba_adapter import alpha_words

    entry = model_named(model)
    _line("name", entry.name)
    _line("modes", ", ".join(entry.modes))
    _line("size", f"{entry.native} × {entry.native} at best")
    _line("memory", f"about {entry.memory:g} GB")
    _line("licence", with_link(entry.licence))
    if words := alpha_words(entry.facts):
        _line("alpha", words)
    if entry.base:
        state = "here" if folder_of_base(entry) else "missing"
        _line("base", f"{entry.base}, {state}")
        _line("", f"licence {with_link(entry.base_licence)}" if entry.base_licence else "your own")
    if entry.place is not None:
        _line("base", f"{entry.place} (your own), {'here' if entry.place.exists() else 'missing'}")
    for part, source in entry.supplied:
        name = source.partition(":")[2].removesuffix(".safetensors")
        state = "not here any more" if name in entry.lacking else "here"
        _line("", f"its {part.replace('_', ' ')} is that of {name}, {state}")
    for part in entry.parts:
        file = part.file
        state = "here" if located(file) else "missing"
        _line("file", f"{file.name}, {file.size:g} MB, {state}, for {', '.join(part.modes)}")
        _line("", f"from {file.repository}, SHA-256 {file.sha256 or 'not published'}")


@models.command("pull")
def pull_model(
    model: ModelId,
    mode: Annotated[
        list[str] | None, typer.Option(help="Fetch only what this mode needs; may be repeated.")
    ] = None,
    accept_licence: AcceptLicence = False,
) -> None:
    """Fetch a model, a style, or what makes previews, into the hub cache that others share."""
    from acetate.models.hub_cache import missing_parts
    from acetate.models.preview_decoders import preview_decoders
    from acetate.models.published_styles import published_styles
    from acetate.models.registry import model_named

    if style := published_styles().get(model):
        from acetate.model_import.style_pull import pull_style

        if missing_parts(style.entry):
            _ask(style.entry, accept_licence)
        _pull(style.entry, ())
        own = pull_style(style)
        tell_server()
        print(f"{style.id} is here: --style {own.name.removesuffix('.safetensors')}=1")
        return
    entry = preview_decoders().get(model) or model_named(model)
    modes = tuple(mode or ())
    if set(modes) <= {*entry.modes} and not missing_parts(entry, modes or None):
        print(f"{entry.id} is here.")
        return
    _ask(entry, accept_licence)
    for path in _pull(entry, modes):
        print(path)
    tell_server()
    print(f"{entry.id} is here.")


@models.command("import")
def import_model(
    source: Annotated[
        str,
        typer.Argument(
            help="A weight file (.safetensors, .pth), a diffusers folder, or owner/name at the hub."
        ),
    ],
    kind: Annotated[
        str, typer.Option(help="What a control network follows, where its name does not say.")
    ] = "",
    vae: Annotated[
        str, typer.Option(help="Take a base's autoencoder from this imported file, or this model.")
    ] = "",
    text_encoder: Annotated[
        str, typer.Option(help="Take a base's text encoder from this imported file, or this model.")
    ] = "",
    prediction: Annotated[
        str, typer.Option(help="What a base predicts, where its files do not say: v_prediction.")
    ] = "",
    base: Annotated[
        str, typer.Option(help="The model that an RGBA adapter goes onto; else one that is here.")
    ] = "",
    accept_licence: AcceptLicence = False,
) -> None:
    """Take over a base, a style, a control network or transparency weights of your own.

    What is on the disk is linked, not copied, where possible.
    """
    from acetate.model_import.importing import hub_entry, import_any, is_repository
    from acetate.models.hub_cache import base_folder

    on_hub = is_repository(source) and not os.path.exists(source)
    if on_hub and base_folder(source) is None:
        entry = hub_entry(source)
        _ask(entry, accept_licence)
        _pull(entry, ())
    own = import_any(
        source, kind, vae=vae, text_encoder=text_encoder, prediction=prediction, base=base
    )
    tell_server()
    follows = f" that follows {own.kind}" if own.kind else ""
    fitting = f" for {' or '.join(own.families)}" if own.role != "upscaler" else ""
    print(f"{own.name}: {own.role}{follows}{fitting}")
    for note in own.notes:
        print(note)


@models.command("remove")
def remove_model(
    model: Annotated[str, typer.Argument(help="Id of a model, or name of an imported file.")],
) -> None:
    """Delete the transparency files of a model (its base stays), or forget an imported file."""
    from acetate.models.catalog import catalog, entry_named
    from acetate.models.hub_cache import remove
    from acetate.models.own_register import own_files, remove_own

    names = [own.name for own in own_files()]
    if model not in (*names, *catalog()) and f"{model}.safetensors" in names:
        model = f"{model}.safetensors"
    if model in names:
        remove_own(model)
        tell_server()
        print(f"{model} is no longer imported.")
        return
    entry = entry_named(model)
    if not entry.parts:
        raise BadRequest(f"{entry.name} is part of Acetate and cannot be removed.")
    freed = remove(entry)
    if not freed:
        print(f"Nothing was removed: no file of {entry.id} is here that it alone needs.")
        return
    tell_server()
    print(f"{freed / 1e6:.1f} MB freed.")


@models.command("verify")
def verify_models(
    model: Annotated[str, typer.Argument(help="Id of a model; all by default.")] = "",
) -> None:
    """Read the weight files that are here and compare them with what was published."""
    from acetate.models.registry import model_named
    from acetate.models.registry import models as known

    damaged = 0
    for entry in [model_named(model)] if model else known().values():
        damaged += _verify(entry)
    if damaged:
        raise typer.Exit(2)


def _ask(entry: Entry, accepted: bool) -> None:
    """Ask for each licence once. Raises LicenceNeeded where nobody can answer, or says no."""
    from acetate.models.licences import unaccepted
    from acetate.models.pull import agree

    licences = unaccepted(entry)
    if licences and not accepted and sys.stdin.isatty():
        question = f"{entry.name} is licensed under {' and '.join(licences)}. Accept?"
        accepted = typer.confirm(question, err=True)
    agree(entry, accepted)


def _pull(entry: Entry, modes: tuple[str, ...]) -> list[Path]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from acetate.models.pull import PullProgress, pull

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),  # Whoever offers files names them.
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task("Asking the hub", total=None)

        def show(news: PullProgress) -> None:
            bars.update(
                task, description=printable(news.file), completed=news.here, total=news.total
            )

        return pull(entry, modes, on_progress=show)


def _verify(entry: Entry) -> int:
    """Prints a line for each file and returns how many are damaged."""
    from acetate.errors import AcetateError
    from acetate.models.hub_cache import verify
    from acetate.models.shipped import EMBEDDED
    from acetate.pipelines.loading import load_pipeline

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
