"""The command of make test-matrix; --help has its options."""

import sys

from .run import main

if __name__ == "__main__":
    sys.exit(main())
