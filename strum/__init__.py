"""The `strum` command: puts the services together. The composition root; nothing imports it."""
