"""`python -m paperlib` is the `paperlib` command."""

import sys

from paperlib.cli import main

sys.exit(main())
