"""``python -m bench``."""

import signal
import sys

from bench.cli import main

if __name__ == "__main__":
    # Ended from outside, too, it drops its database and removes its files.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
