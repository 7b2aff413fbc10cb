"""Every test trains on small data, and stores its runs in a folder of its own."""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # as in workers

import pytest  # noqa: E402


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder of runs."""
    monkeypatch.setenv("RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"
