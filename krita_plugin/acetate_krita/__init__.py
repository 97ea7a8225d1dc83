"""Acetate in Krita: an extension with actions, and a docker.

`vendored` beside this file holds the bridge and its one dependency when the plug-in is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

_VENDORED = Path(__file__).resolve().parent / "vendored"
if _VENDORED.is_dir() and str(_VENDORED) not in sys.path:
    sys.path.insert(0, str(_VENDORED))


def _register() -> None:
    """Only inside Krita is there anybody to register with."""
    try:
        import krita
    except ImportError:
        return
    application = krita.Krita.instance()
    if application is None:
        return
    from acetate_krita.docker import factory
    from acetate_krita.extension import AcetateExtension
    from acetate_krita.plugin import Studio

    studio = Studio()
    application.addExtension(AcetateExtension(application, studio))
    application.addDockWidgetFactory(factory(studio))


_register()
