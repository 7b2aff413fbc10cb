"""What the title page tells about the machine, the packages and the state of the source."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from helpers import data, runs
from helpers.export.revision import NO_DATE, git, timestamp

PACKAGES = ("numpy", "torch", "scikit-learn", "matplotlib", "distributed", "nbconvert", "typst")
MORE_PACKAGES = ("torchvision", "scipy", "pandas", "dask", "nbclient", "nbformat", "pypandoc_binary")


def date():
    """The date of `timestamp`, as in `23 November 2026`; empty where no date is known."""
    day = datetime.fromtimestamp(timestamp(), UTC)
    return f"{day:%d %B %Y}".lstrip("0") if timestamp() != NO_DATE else ""


def processor():
    """Return the name that the processor gives itself (str)."""
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


def _revision():
    return git("describe", "--always", "--dirty", "--exclude=*")


def facts():
    """Rows of the title page's table: name -> value. The revision is left out where there is no git."""
    versions = filter(None, map(_version, PACKAGES))
    rows = {
        "Software": ", ".join([f"Python {platform.python_version()}", *versions]),
        "Hardware": f"{processor()}, {os.cpu_count()} cores",
        "Revision": _revision(),
    }
    return {name: value for name, value in rows.items() if value}


def _table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def provenance(dataset, runs_by_notebook):
    """Markdown: what the numbers of the report were made from, and by what.

    `runs_by_notebook`: {notebook: names of the stored runs that it used}, in the order in which the notebooks ran.
    Seconds are those of the trainings, as they were stored with the runs.
    """
    checksums = data.checksums(dataset.name)
    files = _table(("file", "MD5"), [(f"`{name}`", f"`{md5}`") for name, md5 in checksums.items()])
    seen, parts, kernels = set(), [], set()
    for notebook, names in runs_by_notebook.items():
        new = [run for name in names if name not in seen and (run := runs.read(name))]
        seen.update(names)
        kernels.update(run.versions["blas"] for run in new)
        seeds = sorted({run.config["seed"] for run in new})
        seconds = sum(sum(run.history["seconds"]) for run in new)
        if new:
            parts.append((f"`{notebook}`", len(new), ", ".join(map(str, seeds)), f"{seconds:,.0f}"))
    versions = filter(None, map(_version, PACKAGES + MORE_PACKAGES))
    paragraphs = [
        "Every number of this report comes from stored runs, each named by a hash of its configuration, its data and "
        "the packages and code that compute it. The same kernels of matrix products give them again to the last bit; "
        "other kernels round in another way, and training makes that grow, as the search measures.",
        f"**Data.** {data.TITLES[dataset.name]}; the SHA-256 of all its pixels and labels begins with "
        f"`{dataset.fingerprint[:16]}`.",
        files if checksums else "",
        f"**Software.** Python {platform.python_version()}, {', '.join(sorted(versions))}.",
        f"**Hardware.** {processor()}, {os.cpu_count()} cores; one core per training.",
        f"**Kernels of the matrix products.** {'; '.join(sorted(kernels))}." if kernels else "",
        f"**Revision.** `{_revision()}`" if _revision() else "",
        "**Runs.** Each is counted where it is used first; the seconds are those of its training, on one core.",
        _table(("notebook", "runs", "seeds", "seconds"), parts),
    ]
    return "\n\n".join(filter(None, paragraphs))
