"""Executes notebooks, one after the other, in their own folder."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager, suppress

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat.v4 import new_code_cell
from tqdm import tqdm

from helpers.export import ReportError
from helpers.export.files import replace
from helpers.export.outputs import PROGRESS

# Vector figures whose bytes do not change from one build to the next.
SVG = [
    "--InlineBackend.figure_formats={'svg'}",
    "--InlineBackend.print_figure_kwargs={'bbox_inches': 'tight', 'metadata': {'Date': None}}",
    "--InlineBackend.rc={'svg.hashsalt': 'report'}",
]
PATIENCE = 20  # seconds in which a kernel that is interrupted may end its workers
ACCESSED_RUNS = "from helpers import store\nprint(*sorted(store.accessed_runs))"


class _Client(NotebookClient):
    """A client that knows the 1-based index of the cell that runs, and leaves no kernel behind."""

    index = 0

    def started(self, cell, cell_index):
        self.index = cell_index + 1

    @asynccontextmanager
    async def async_setup_kernel(self):
        """nbclient's own leaves a kernel that is interrupted at its start, and trips over one that is gone."""
        self.km = self.create_kernel_manager()
        self.km.shutdown_wait_time = PATIENCE
        self.shutdown_kernel = "immediate"
        try:
            await self.async_start_new_kernel()
            await self.async_start_new_kernel_client()
            self.shutdown_kernel = "graceful"  # from now on there may be workers to be ended
            yield
        finally:
            if self.km is not None:  # else nbclient has found that it does not start
                ended = asyncio.create_task(self._async_cleanup_kernel())
                while not ended.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.shield(ended)

    async def run(self):
        """Executes all cells; when its task is cancelled it ends as such."""
        try:
            await self.async_execute()
        finally:
            if asyncio.current_task().cancelling():
                raise asyncio.CancelledError  # nbclient would say that the kernel died

    def process_message(self, msg, cell, cell_index):
        """Shows the progress bars of the notebook itself, whose cells may run for long."""
        if msg["msg_type"] == "stream" and not os.environ.get("CI"):
            text = msg["content"]["text"]
            if msg["content"]["name"] == "stderr" or PROGRESS.search(text):
                print(text, end="", file=sys.stderr, flush=True)
        return super().process_message(msg, cell, cell_index)


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
    nb.cells.append(new_code_cell(ACCESSED_RUNS))
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
        asyncio.run(client.run())
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise ReportError(f"notebook {name}, cell {client.index} {_reason(error, timeout)}") from error
    except RuntimeError as error:
        raise ReportError(f"notebook {name}: no kernel starts ({error}); is the memory large enough?") from error
    finally:
        outputs = nb.cells.pop().outputs
    return outputs[0].text.split()


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
            replace({target / f"{name}.ipynb": nbformat.writes(nb) + "\n"})
            if executed:
                executed.runs[name] = used
        done[name] = kept or nb
    if executed:
        executed.save()
    return done
