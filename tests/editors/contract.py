"""What every adapter must fulfil, in every editor: called by pytest outside, by the runner inside.

Plain functions `check_…(host)`; one that takes a `kind` runs for each kind of document.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.editors import contract_keeping, contract_pixels, contract_stack
from tests.editors.contract_keeping import (
    check_actions_are_called_later_on_the_hosts_own_thread,
)

__all__ = ["check_actions_are_called_later_on_the_hosts_own_thread", "checks"]


def checks() -> dict[str, Callable[..., None]]:
    """All checks by name, in the order in which they are written."""
    return {
        name: function
        for module in (contract_pixels, contract_stack, contract_keeping)
        for name, function in vars(module).items()
        if name.startswith("check_")
    }
