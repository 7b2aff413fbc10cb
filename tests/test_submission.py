"""Handing in: what is missing is named, and the archive holds what was checked."""

import hashlib
import os
import zipfile

import pytest
import typst

from helpers import submission

SETTINGS = 'authors = ["Ada Lovelace", "Grace Hopper"]\nrepository = "https://example.org/ada/report"\n'


@pytest.fixture
def folder(tmp_path):
    """A folder with settings, a report that fits them and, older, a solution."""
    (tmp_path / "report.toml").write_text(SETTINGS)
    (tmp_path / "solution.py").write_text(submission.SOLUTION.read_text())
    text = 'Ada Lovelace, Grace Hopper \n\n #link("https://example.org/ada/report")'
    (tmp_path / "report.pdf").write_bytes(typst.compile(text.encode()))
    for name in ("report.toml", "solution.py"):
        os.utime(tmp_path / name, (1, 1))
    return tmp_path


def faults(folder):
    solution = folder / "solution.py"
    of_report = submission.check_report(folder / "report.pdf", folder / "report.toml", [solution])
    return [*submission.check_solution(solution), *of_report]


def rewrite(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (1, 1))


MISSING = {
    "names no authors": lambda f: rewrite(f, "report.toml", '["Ada Lovelace", "Grace Hopper"]', "[]"),
    "names no repository": lambda f: rewrite(f, "report.toml", "https://example.org/ada/report", ""),
    "report.pdf does not show Alan Turing": lambda f: rewrite(f, "report.toml", "Grace Hopper", "Alan Turing"),
    "report.pdf does not show https://": lambda f: rewrite(f, "report.toml", "org/ada", "org/grace"),
    "report.pdf is missing": lambda f: (f / "report.pdf").unlink(),
    "report.pdf cannot be opened": lambda f: (f / "report.pdf").write_bytes(b"%PDF-1.7"),
    "report.pdf is older than solution.py": lambda f: os.utime(f / "solution.py", (2**32, 2**32)),
    "NumPy alone, but imports scipy": lambda f: rewrite(
        f, "solution.py", "import numpy as np", "import scipy, numpy as np"
    ),
    "NumPy alone, but imports helpers": lambda f: rewrite(
        f, "solution.py", "import numpy as np", "import helpers.nn, numpy as np"
    ),
    "does not pass test_solution.py: FAILED": lambda f: rewrite(f, "solution.py", "/ len(clipped)", "/ 2"),
    "solution.py cannot be read": lambda f: rewrite(f, "solution.py", "import numpy as np", "import"),
}


def test_nothing_is_missing(folder):
    assert faults(folder) == []


@pytest.mark.parametrize("sentence", MISSING)
def test_what_is_missing_is_named(folder, sentence):
    MISSING[sentence](folder)
    (told,) = faults(folder)
    assert sentence in told


def test_the_archive_has_a_manifest_and_is_the_same_each_time(folder):
    files = {"solution.py": folder / "solution.py", "report.pdf": folder / "report.pdf"}
    path = submission.pack(folder, files)
    first = path.read_bytes()
    assert submission.pack(folder, files).read_bytes() == first
    with zipfile.ZipFile(path) as archive:
        sums = dict(reversed(line.split("  ")) for line in archive.read("SHA256SUMS").decode().splitlines())
        assert sums == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in files}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_nothing_is_packed_until_nothing_is_missing(folder, monkeypatch, capsys):
    monkeypatch.setenv("BUILD", str(folder))
    monkeypatch.setattr(submission, "SETTINGS", folder / "report.toml")
    monkeypatch.setattr(submission, "CODE", [])
    assert submission.main() == 0
    archive = folder / "submission.zip"
    assert capsys.readouterr().out == f"{archive}\n"
    with zipfile.ZipFile(archive) as packed:
        assert packed.namelist() == ["solution.py", "report.pdf", "SHA256SUMS"]
        assert packed.read("solution.py") == submission.SOLUTION.read_bytes()
    (folder / "report.pdf").unlink()
    assert submission.main() == 1
    assert "nothing to hand in yet:\n- report.pdf is missing" in capsys.readouterr().err
    assert not archive.exists()
