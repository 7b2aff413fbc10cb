"""The files of a data set: found in a folder or downloaded from a mirror, checked, and read."""

import gzip
import socket
import threading
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
import pooch

PATIENCE = 4  # seconds that a mirror may be silent: at most twice, when it is reached and when it sends
pooch.get_logger().setLevel("WARNING")  # the progress bar says enough


class DataError(Exception):
    """A data set is not there, or is not what its checksum says."""


def obtain(source, filename, raw, mirrors):
    """Return the path of a file in `raw`, packed or not; raise DataError where it is missing and no mirror has it.

    A mirror that fails is taken from the list `mirrors`: the next file need not wait for it.
    """
    packed, unpacked = raw / f"{filename}.gz", raw / filename
    md5 = dict(source.resources)[packed.name]
    if packed.is_file() and pooch.file_hash(packed, "md5") == md5:
        return packed
    if unpacked.is_file() and not packed.exists():
        return unpacked
    reasons = []
    for mirror in mirrors.copy():
        if not _reachable(mirror):
            mirrors.remove(mirror)
            reasons.append(f"{mirror} cannot be reached")
            continue
        download = pooch.HTTPDownloader(progressbar=True, timeout=PATIENCE)
        try:
            pooch.retrieve(mirror + packed.name, f"md5:{md5}", packed.name, raw, downloader=download)
            return packed
        except (OSError, ValueError) as error:  # ValueError: another checksum
            mirrors.remove(mirror)
            reasons.append(f"{mirror}: {(str(error) or repr(error)).splitlines()[0]}")
    state = "does not match its checksum" if packed.exists() else "is missing"
    raise DataError(
        f"{packed} {state}, and it could not be downloaded ({'; '.join(reasons)}). "
        "Put the file there, or use DATASET=digits, which needs no download."
    )


@cache
def _reachable(url):
    """Whether the server of `url` takes a connection within PATIENCE seconds of asking for its name."""
    answered = threading.Event()

    def knock():
        scheme = urlsplit(url).scheme
        address = urlsplit(getproxies().get(scheme, url))  # where there is a proxy, it is the one to be reached
        with suppress(OSError):
            port = address.port or {"http": 80, "https": 443}[address.scheme]
            socket.create_connection((address.hostname, port), PATIENCE).close()
            answered.set()

    thread = threading.Thread(target=knock, daemon=True)  # no time limit holds for the look-up of a name
    thread.start()
    thread.join(PATIENCE)
    return answered.is_set()


def read_idx(path):
    """Return the array in a file of the IDX format: 0, 0, 8 for bytes, the number of dimensions, each, the bytes."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = tuple(np.frombuffer(content, ">i4", content[3], offset=4))
        if content[:3] != b"\0\0\x08":
            raise ValueError("it does not begin as such a file does")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} is no whole file of the IDX format ({error}); delete it") from error
