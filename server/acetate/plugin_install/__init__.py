"""The plug-ins for GIMP and Krita as files: packed, installed where each editor looks, removed."""
