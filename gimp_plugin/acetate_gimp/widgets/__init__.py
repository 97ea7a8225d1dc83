"""The panel's parts in GTK."""
