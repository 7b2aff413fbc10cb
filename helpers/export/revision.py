"""What git knows of the folder that is converted."""

import os
import subprocess

NO_DATE = 315532800  # 1980-01-01, the earliest date that every archive format can store


def git(*arguments):
    """What a command of git prints, or nothing where it fails or there is no git."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def timestamp():
    """Seconds since 1970: SOURCE_DATE_EPOCH, else the date of the last commit, else 1980-01-01."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or NO_DATE)
