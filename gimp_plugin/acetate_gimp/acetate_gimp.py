#!/usr/bin/env python3
"""Acetate in GIMP: the entry that GIMP calls. What can be asked for stands in `procedures`."""

from __future__ import annotations

import os
import sys

# GIMP starts this file alone; its neighbours and the vendored packages lie beside it.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gimp  # noqa: E402

from plugin import Acetate  # noqa: E402

Gimp.main(Acetate.__gtype__, sys.argv)
