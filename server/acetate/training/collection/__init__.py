"""Collections of layers with captions, in whichever form people keep them."""
