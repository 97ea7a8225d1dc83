"""Pictures as files, as messages and as tensors, and the ways between them."""
