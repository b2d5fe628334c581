"""The command ``python -m ecgbeat``."""

import sys

from ecgbeat.command import main

if __name__ == "__main__":
    sys.exit(main())
