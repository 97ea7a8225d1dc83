"""Which hosts files are fetched from: the hub, its stores, and the mirror that a person set.

No address comes from a request, and a redirect leads nowhere else: not to a service of this
machine or its network that trusts whoever is inside.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from acetate.errors import AcetateError

_HUB = ("huggingface.co", "hf.co")
"""With the names below them, where the hub keeps its files."""


class CannotFetch(AcetateError):
    """A model's files cannot be fetched; what is complete is kept, and the rest resumes later."""

    code = "cannot_fetch"


def keep_to_known_hosts(endpoint: str | None = None) -> None:
    """Let the hub's client in this process refuse every other host, with CannotFetch.

    `endpoint` is a hub beside the one that is set for the system (HF_ENDPOINT).
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    for each in (constants.ENDPOINT, endpoint):
        if each:
            _endpoints.add(_origin(each))
    hooks: list[Any] = get_session().event_hooks["request"]
    if _check not in hooks:
        hooks.append(_check)


def is_known(url: str) -> bool:
    """Whether something may be fetched from there."""
    scheme, host, _ = origin = _origin(url)
    of_the_hub = any(host == name or host.endswith(f".{name}") for name in _HUB)
    return origin in _endpoints or (scheme == "https" and of_the_hub)


_endpoints: set[tuple[str, str, int]] = set()


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; of nowhere for what is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        return parts.scheme, (parts.hostname or "").rstrip("."), port
    except ValueError:
        return "", "", 0


def _check(request: Any) -> None:
    """Asked by the client before every request, those that follow a redirect among them."""
    if not is_known(str(request.url)):
        raise CannotFetch(
            f"The download was sent on to {request.url.host}, which is no host of the hub, "
            "and was given up.",
            "Look at HF_ENDPOINT and at what stands between this machine and the hub.",
        )
