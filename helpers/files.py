"""Files that are whole or not there: JSON with its checksum, renamed into place; what is damaged is set aside."""

import hashlib
import json
import math
import os
import uuid
import warnings
from contextlib import contextmanager
from itertools import count
from pathlib import Path


def has_checksum(path, sha256):
    """Whether a file can be read and has this SHA-256."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


@contextmanager
def replacing(path):
    """Open a temporary file that becomes `path` when all of it is written."""
    temporary = Path(f"{path}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("w+b") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, content):
    """Write `content`, plain data, to `path` with its checksum; a number that is not finite becomes null."""
    content = _portable(content)
    with replacing(path) as file:
        written = {"sha256": _sha256(content), "build": os.environ.get("FRESH_BUILD"), "content": content}
        file.write(json.dumps(written, indent=1).encode())


def read_json(path):
    """Return the content that was written to `path`, or None; see `stored`."""
    found = stored(path)
    return None if found is None else found["content"]


def stored(path):
    """Return what `write_json` wrote, {"sha256", "build", "content"}, or None; what was damaged is set aside."""
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
        if _sha256(found["content"]) == found["sha256"]:
            return found
    except (ValueError, TypeError, KeyError, RecursionError, OSError):
        pass
    set_aside(path, "is not as it was written")
    return None


def set_aside(path, reason):
    """Rename what cannot be used, a file or a folder, so that nothing is lost and its place is free."""
    names = (f"{path.name}.broken{n or ''}" for n in count())
    aside = next(other for name in names if not (other := path.with_name(name)).exists())
    done = f"was set aside as {aside.name}"
    try:
        path.replace(aside)
    except FileNotFoundError:
        pass  # another driver was faster
    except OSError as error:
        done = f"could not be set aside ({error.strerror})"
    warnings.warn(f"{path.name} {reason}; it {done}", stacklevel=4)


def broken(path):
    """Return the names under which what stood at `path` was set aside, oldest first."""
    names = (other.name for other in path.parent.glob(f"{path.name}.broken*"))
    return sorted(names, key=lambda name: (len(name), name))  # they are counted: 10 comes after 9


def _portable(value):
    """The same value as JSON knows it: a number that is not finite becomes null."""
    if isinstance(value, dict):
        return {name: _portable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sha256(content):
    return hashlib.sha256(json.dumps(content, allow_nan=False).encode()).hexdigest()
