"""Files and folders of others taken in: what they are, and whether they paint here."""
