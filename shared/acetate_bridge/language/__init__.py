"""What painters read, in their own language: catalogs, the choice among them, and the look-up."""
