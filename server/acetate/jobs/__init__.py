"""What was asked and what came of it: the queue, the store and the results. Knows no HTTP."""
