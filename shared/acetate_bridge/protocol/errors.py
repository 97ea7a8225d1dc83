"""The root of all errors that a person is told of: a stable code, a sentence, and what helps."""

from __future__ import annotations


class AcetateError(Exception):
    """A failure that a person can understand and mend.

    `code` is stable and meant for programs: that of the class, unless an error brings its own. The
    message is one sentence for a painter; `hint` says what to do when the sentence alone does not.
    """

    code = "failed"

    def __init__(self, message: str, hint: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code
