"""`python -m strum`."""

from strum.cli import main

main()
