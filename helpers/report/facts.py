"""What the title page tells about the machine, the packages and the state of the source."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "torch", "scikit-learn", "matplotlib", "distributed", "nbconvert", "typst")
NO_DATE = 315532800  # 1980-01-01, the earliest date that every archive format can store


def _git(*arguments):
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def timestamp():
    """Seconds since 1970: SOURCE_DATE_EPOCH, else the date of the last commit, else 1980-01-01."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or NO_DATE)


def date():
    """The date of `timestamp`, as in `23 November 2026`; empty where no date is known."""
    day = datetime.fromtimestamp(timestamp(), UTC)
    return f"{day:%d %B %Y}".lstrip("0") if timestamp() != NO_DATE else ""


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        return names[0] if names else platform.machine()
    done = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
    return done.stdout.strip() or platform.machine()


def _version(package):
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return None


def facts():
    """Rows of the title page's table: name -> value. The revision is left out where there is no git."""
    versions = filter(None, map(_version, PACKAGES))
    rows = {
        "Software": ", ".join([f"Python {platform.python_version()}", *versions]),
        "Hardware": f"{_processor()}, {os.cpu_count()} cores",
        "Revision": _git("describe", "--always", "--dirty", "--exclude=*"),
    }
    return {name: value for name, value in rows.items() if value}
