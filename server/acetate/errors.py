"""What can go wrong for a painter, in sentences that name the cause and the cure."""

from __future__ import annotations

from acetate_bridge.protocol.errors import AcetateError

__all__ = [
    "AcetateError",
    "BadImage",
    "BadRequest",
    "BadResult",
    "CannotWrite",
    "DeviceMissing",
    "Interrupted",
    "ModelDamaged",
    "ModelMissing",
]


class Interrupted(Exception):
    """Not a failure: whoever asked for a painting has asked to stop it.

    Raised where a step is told of; passes through sampler, mode, painter and engine untouched.
    """


class BadRequest(AcetateError):
    """The request asks for something that no mode or model can do."""

    code = "bad_request"


class BadImage(AcetateError):
    """A picture file cannot be read."""

    code = "bad_image"


class BadResult(AcetateError):
    """A model has painted something else than was asked for."""

    code = "bad_result"


class CannotWrite(AcetateError):
    """An output file cannot be written."""

    code = "cannot_write"


class ModelMissing(AcetateError):
    """A model, or one of its files, is not there."""

    code = "model_missing"


class ModelDamaged(AcetateError):
    """A file of a model cannot be read or does not fit the others."""

    code = "model_damaged"


class DeviceMissing(AcetateError):
    """The device that was asked for cannot be used on this machine."""

    code = "device_missing"
