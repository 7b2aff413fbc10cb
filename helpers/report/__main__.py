"""`python -m helpers.report`: the command, and what Ctrl-C and SIGTERM mean to it from first to last."""

import os
import signal
import sys

from helpers import limits


def leave(*_):
    """Ends at once, where there is nothing to clean up: while modules are imported, and after that was done."""
    os.write(2, b"stopped; what was finished before is untouched\n")
    os._exit(130)


def run():
    """The exit status of the command; after an interrupt or SIGTERM the process ends with 130."""
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    if refusal := limits.refused():
        sys.exit(f"error: {refusal}")
    from .command import main

    try:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio knows what to do with this one
        status = main()
    except KeyboardInterrupt:
        leave()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return status


if __name__ == "__main__":
    sys.exit(run())
