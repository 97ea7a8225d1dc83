"""The error for what Acetate cannot use."""

from __future__ import annotations

from acetate.errors import AcetateError


class NotRecognised(AcetateError):
    """A weight file is not of a kind, or not for a family, that Acetate can use."""

    code = "not_recognised"
