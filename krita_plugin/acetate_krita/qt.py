"""Krita 5 brings PyQt5 and Krita 6 PyQt6: the rest of the plug-in asks here and need not know."""

from __future__ import annotations

try:
    from PyQt5 import QtCore, QtGui, QtWidgets
    from PyQt5.QtWidgets import QAction, QShortcut
except ImportError:
    from PyQt6 import QtCore, QtGui, QtWidgets
    from PyQt6.QtGui import QAction, QShortcut

Qt = QtCore.Qt

__all__ = ["QAction", "QShortcut", "Qt", "QtCore", "QtGui", "QtWidgets"]
