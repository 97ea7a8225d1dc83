"""Fetching a published style and taking it over under its id."""

from __future__ import annotations

from acetate.model_import.imported_files import import_file
from acetate.models.hub_cache import located
from acetate.models.own_register import Own, own_files, safe_name
from acetate.models.published_styles import PublishedStyle
from acetate.models.pull import OnPull, pull


def pull_style(
    style: PublishedStyle,
    *,
    accepted: bool = False,
    on_progress: OnPull | None = None,
    endpoint: str | None = None,
) -> Own:
    """The style, fetched if it is not here. Raises what `pull` and `import_file` raise."""
    if own := imported(style):
        return own
    pull(style.entry, accepted=accepted, on_progress=on_progress, endpoint=endpoint)
    path = located(style.file)
    assert path is not None
    return import_file(path, name=style.id, preset=style.preset)


def imported(style: PublishedStyle) -> Own | None:
    """The style where it has been taken over."""
    name = safe_name(style.id)
    return next((own for own in own_files("style") if own.name == name), None)
