"""Executes notebooks, one after the other, in their own folder."""

import asyncio
import os
import signal
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat.v4 import new_code_cell
from tqdm import tqdm

from helpers.export import ReportError
from helpers.export.outputs import PROGRESS

# Vector figures whose bytes do not change from one build to the next.
SVG = [
    "--InlineBackend.figure_formats={'svg'}",
    "--InlineBackend.print_figure_kwargs={'bbox_inches': 'tight', 'metadata': {'Date': None}}",
    "--InlineBackend.rc={'svg.hashsalt': 'report'}",
]
USED = "from helpers import store\nprint(*sorted(store.used))"


class _Client(NotebookClient):
    """A client that knows the 1-based index of the cell that runs, and whether it was interrupted."""

    index, interrupted = 0, False

    def started(self, cell, cell_index):
        self.index = cell_index + 1
        # nbclient's own handler kills the kernel and then trips over it being gone.
        stop = (signal.SIGINT, self.stop, asyncio.current_task())
        asyncio.get_running_loop().add_signal_handler(*stop)

    def process_message(self, msg, cell, cell_index):
        """Shows the progress bars of the notebook itself, whose cells may run for long."""
        if msg["msg_type"] == "stream" and not os.environ.get("CI"):
            text = msg["content"]["text"]
            if msg["content"]["name"] == "stderr" or PROGRESS.search(text):
                print(text, end="", file=sys.stderr, flush=True)
        return super().process_message(msg, cell, cell_index)

    def stop(self, task):
        self.interrupted = task.cancel()


def _reason(error, timeout):
    if isinstance(error, CellExecutionError):
        tail = [line for line in strip_ansi(error.traceback).splitlines() if line.strip()][-8:]
        return "\n".join(["failed:", *tail])
    if isinstance(error, CellTimeoutError):
        return f"took more than {timeout} s; raise `timeout` in report.toml."
    return "killed its kernel; is the memory large enough?"


def execute(nb, name, folder, timeout, arguments=()):
    """Runs all cells of `nb` in place; returns the names of the stored runs that they used.

    Raises ReportError with notebook, cell and the end of the traceback.
    """
    nb.cells.append(new_code_cell(USED))
    client = _Client(
        nb,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=CRITICAL", *arguments],
        record_timing=False,
        store_widget_state=False,
    )
    client.on_cell_start = client.started
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        if client.interrupted:
            raise KeyboardInterrupt from None
        raise ReportError(f"notebook {name}, cell {client.index} {_reason(error, timeout)}") from error
    finally:
        outputs = nb.cells.pop().outputs
    return outputs[0].text.split()


def replace(path, data):
    """Writes bytes or text to `path` so that it is at any moment the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data.encode() if isinstance(data, str) else data)
    os.replace(temporary, path)


def progress(names):
    """`names` with one line of progress and time left; with one line each where CI is set."""
    quiet = bool(os.environ.get("CI"))
    bar = tqdm(names, unit="notebook", disable=quiet, file=sys.stderr)
    for name in bar:
        bar.set_description(name)
        if quiet:
            print(f"executing {name}", file=sys.stderr)
        yield name


def execute_all(notebooks, folder, target, timeout, arguments=(), clean=lambda nb: None, executed=None):
    """Executes {name: notebook} in `folder`, cleans each and writes it to `target`. Returns name -> notebook.

    With `executed`, an Executed, what it still has is not executed again.
    """
    done = {}
    for name in progress(notebooks):
        nb = notebooks[name]
        kept = executed and executed.find(name, nb)
        if not kept:
            used = execute(nb, name, folder, timeout, arguments)
            clean(nb)
            replace(target / f"{name}.ipynb", nbformat.writes(nb) + "\n")
            if executed:
                executed.runs[name] = used
        done[name] = kept or nb
    if executed:
        executed.save()
    return done
