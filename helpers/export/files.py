"""Files that are at any moment the old or the new."""

import glob
import os

import psutil


def replace(contents):
    """Writes {path: bytes or text}, all or, after an error, none; each path has at any moment the old or the new."""
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in contents}
    try:
        for path, data in contents.items():
            temporary[path].write_bytes(data.encode() if isinstance(data, str) else data)
        for path in contents:
            temporary[path].replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        for each in temporary.values():
            each.unlink(missing_ok=True)
    _clear(contents)


def _clear(paths):
    """Remove what writers of these paths that were killed have left beside them."""
    for path in paths:
        for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
            pid = left.suffix[1:]
            if pid.isdecimal() and not psutil.pid_exists(int(pid)):
                left.unlink(missing_ok=True)
