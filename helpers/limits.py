"""What the system must allow a process here: open files and address space."""

import os
import resource

NEEDED = {  # by the option of `ulimit`: the limit, its unit in the system's, how many of them, in words
    "n": (resource.RLIMIT_NOFILE, 1, 128 + 16 * (os.cpu_count() or 1), "open files"),
    "v": (resource.RLIMIT_AS, 1024, 5_000_000, "KiB of address space"),
}


def refused():
    """Raise what limits this process, and those that it starts, to what they need; return None.

    Where that is not allowed, return a sentence that says so.
    """
    for option, (limit, unit, needed, what) in NEEDED.items():
        soft, hard = resource.getrlimit(limit)
        if soft == resource.RLIM_INFINITY or soft >= needed * unit:
            continue
        try:
            resource.setrlimit(limit, (needed * unit, hard))
        except ValueError:
            allowed = f"only {hard // unit} {what} are allowed, and {needed} are needed"
            return f"{allowed}: `ulimit -{option} {needed}`, or whoever runs this machine, allows more"
    return None
