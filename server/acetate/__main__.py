"""`python -m acetate`: the command line where its script is not on the path."""

from __future__ import annotations

from acetate.cli import main

main()
