"""The panel's parts in Qt."""
