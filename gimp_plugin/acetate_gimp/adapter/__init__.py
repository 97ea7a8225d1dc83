"""GIMP as an `Editor`: documents, layers, pixels, selection, metadata, undo."""
