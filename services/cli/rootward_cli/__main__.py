"""`python -m rootward_cli` is the `rootward` command."""

from rootward_cli.main import main

main()
