"""For whoever types `pytest --nbval-lax notebooks/`: the small data set, and a line that says what is compared."""

import os


def pytest_configure(config):
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        os.environ.setdefault("DATASET", "digits")  # MNIST takes hours


def pytest_report_header(config):
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        data = os.environ["DATASET"]
        return [
            f"notebooks on DATASET={data}",
            "--nbval-lax executes every cell and compares the outputs of those tagged nbval-check-output",
            "--nbval compares all outputs with the stored ones, which are MNIST's and tell seconds: it cannot pass",
        ]
    return None
