"""The command line, `acetate`: each command stands in a file of its name.

Nothing is imported here before Ctrl+C is heard: the commands meet in `application`.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; whatever a person can mend ends in one sentence and exit code 2."""
    from acetate.cli.stopping import heard_at_once

    with heard_at_once():
        from acetate.cli.application import run

        run()
