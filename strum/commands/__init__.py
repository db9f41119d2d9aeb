"""One file per command, with a typer `application`. A file imports what its command needs; nothing imports it."""
