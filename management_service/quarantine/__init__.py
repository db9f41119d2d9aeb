"""What a module could not handle, kept for an operator: to look at, correct, try again, or discard."""
