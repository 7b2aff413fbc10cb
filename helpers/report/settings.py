"""The settings of the report and the notebooks that they name, checked before anything runs."""

import tomllib
from collections import Counter
from pathlib import Path

from helpers.export import ReportError
from helpers.export.join import read

NOTEBOOKS = Path("notebooks")
DEFAULTS = {"subtitle": "", "authors": [], "course": "", "repository": ""}
DEFAULTS |= {"run_last": [], "bibliography": "", "timeout": 3600}
TYPES = {"title": str, "notebooks": list} | {name: type(value) for name, value in DEFAULTS.items()}
WORDS = {str: "a text in quotes", list: 'a list of texts, as ["one", "two"]', int: "a whole number above 0"}


def read_settings():
    """The settings in notebooks/report.toml; raises ReportError with one line for each that is wrong."""
    path = NOTEBOOKS / "report.toml"
    try:
        settings = DEFAULTS | tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}.") from error
    wrong = list(_wrong_types(settings)) or list(_wrong_values(settings))
    if wrong:
        raise ReportError("\n".join(f"{path}: {problem}" for problem in wrong))
    return settings


def _wrong_types(settings):
    for name in sorted(settings.keys() | TYPES.keys()):
        if name not in TYPES:
            yield f"there is no setting `{name}`; those there are: {', '.join(TYPES)}."
        elif name not in settings:
            yield f"the setting `{name}` is missing; it is {WORDS[TYPES[name]]}."
        elif not _fits(settings[name], TYPES[name]):
            yield f"`{name}` must be {WORDS[TYPES[name]]}, not {settings[name]!r}."


def _fits(value, wanted):
    if wanted is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return type(value) is wanted and (wanted is not int or value > 0)


def _wrong_values(settings):
    names = settings["notebooks"]
    if not names:
        yield "`notebooks` names no notebook; it lists them in their order in the report, without .ipynb."
    for name, count in Counter(names).items():
        if count > 1:
            yield f"`notebooks` names {name} {count} times; leave one."
        if not (NOTEBOOKS / f"{name}.ipynb").is_file():
            yield f"`notebooks` names {name}, but there is no {NOTEBOOKS / name}.ipynb; correct it or take it out."
    for name in settings["run_last"]:
        if name not in names:
            yield f"`run_last` names {name}, which is not in `notebooks`; add it there or take it out here."
    if settings["bibliography"] and not (NOTEBOOKS / settings["bibliography"]).is_file():
        yield f"`bibliography` names {settings['bibliography']}, which is not in {NOTEBOOKS}."


def in_running_order(settings):
    """The names of the notebooks, those of `run_last` at the end."""
    return sorted(settings["notebooks"], key=lambda name: name in settings["run_last"])


def read_notebooks(names):
    """{name: notebook}; raises ReportError with one line for each that cannot be read or has no cells."""
    found, wrong = {}, []
    for name in names:
        try:
            found[name] = read(NOTEBOOKS / f"{name}.ipynb")
        except ReportError as error:
            wrong.append(f"{error} Restore it or take it out.")
            continue
        if not any(cell.source.strip() for cell in found[name].cells):
            wrong.append(f"notebook {name} is empty; write its section or take it out of report.toml.")
    if wrong:
        raise ReportError("\n".join(wrong))
    return found
