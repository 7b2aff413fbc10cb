"""`python -m helpers.submission`: what is handed in, checked and packed into build/submission.zip.

That is `solution.py`, which must work alone with NumPy, and `report.pdf`, which must be newer, with names and a link.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from helpers.data import ROOT

SOLUTION, TESTS = ROOT / "helpers" / "nn.py", ROOT / "tests" / "test_solution.py"
SETTINGS = ROOT / "notebooks" / "report.toml"
CODE = [*(ROOT / "helpers").glob("*.py"), *(ROOT / "notebooks").glob("0*.ipynb")]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of every file in the archive: the same content is the same archive


# The folder of a script is not searched with -I, so it is named.
RUN = """
import runpy, sys
sys.path.insert(0, {folder!r})
sys.argv = ["test_solution.py"]
runpy.run_path({folder!r} + "/test_solution.py", run_name="__main__")
"""


def check_solution(solution):
    """Yield a sentence if `solution` needs more than NumPy or fails its tests, alone in an empty folder."""
    try:
        names = set(_imported(solution.read_text("utf-8")))
    except (SyntaxError, UnicodeDecodeError) as error:
        yield f"solution.py cannot be read: {error}"
        return
    if foreign := sorted(names - sys.stdlib_module_names - {"numpy"}):
        yield f"solution.py must work with NumPy alone, but imports {', '.join(foreign)}"
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(solution, Path(folder) / "solution.py")
        shutil.copy(TESTS, folder)
        command = [sys.executable, "-I", "-c", RUN.format(folder=folder)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip() or "it ended without a word").splitlines()[-1]
        yield f"solution.py does not pass {TESTS.name}: {reason}"


def _imported(source):
    """The names of the packages that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or ".").partition(".")[0]


def check_report(report, settings, code):
    """Yield a sentence for each thing that is missing in `report`, a PDF, which must be newer than `code`."""
    wanted = tomllib.loads(settings.read_text("utf-8"))
    for name in ("authors", "repository"):
        if not wanted.get(name):
            yield f"{settings.name} names no {name}"
    if not report.exists():
        yield f"{report.name} is missing: make report"
        return
    try:
        text = "".join("".join(page.extract_text().split()) for page in PdfReader(report).pages[:2])
    except (PyPdfError, OSError, ValueError) as error:
        yield f"{report.name} cannot be opened ({error}): make report"
        return
    newer = [path.name for path in (settings, *code) if path.stat().st_mtime > report.stat().st_mtime]
    if newer:
        yield f"{report.name} is older than {', '.join(newer)}: make report"
    for name in [*wanted.get("authors", []), wanted.get("repository")]:
        if name and "".join(name.split()) not in text:
            yield f"{report.name} does not show {name} on its first pages: make report"


def pack(folder, files):
    """Write submission.zip with `files`, {name: path}, and a manifest of their SHA-256 sums; return its path."""
    contents = {name: path.read_bytes() for name, path in files.items()}
    manifest = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    temporary = folder / "submission.zip.tmp"
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (contents | {"SHA256SUMS": manifest.encode()}).items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return temporary.replace(folder / "submission.zip")


def main():
    """Exit status: 0, or 1 with a sentence for each thing that is missing, and then no archive."""
    folder = Path(os.environ.get("BUILD") or "build").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.pdf"
    (folder / "submission.zip").unlink(missing_ok=True)
    faults = [*check_solution(SOLUTION), *check_report(report, SETTINGS, CODE)]
    if faults:
        print("nothing to hand in yet:", *faults, sep="\n- ", file=sys.stderr)
        return 1
    shutil.copy(SOLUTION, folder / "solution.py")
    print(pack(folder, {"solution.py": SOLUTION, "report.pdf": report}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
