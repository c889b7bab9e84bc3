"""One command at a time in a run: whoever comes second waits, and is told for whom.

Locks are the system's own (flock): they end with the process that holds them, even after
`kill -9`, and stay as long as anything that was started under them still works. Runs of other
profiles or patients have locks of their own; what they share is locked for itself.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from paperlib import artifacts
from paperlib.pipeline.run import Run

NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}  # a file system that keeps none


@contextmanager
def whole_run(run: Run, who: str) -> Iterator[TextIO]:
    """Hold a whole run, once nothing that an earlier, killed command left behind works in it.

    Args:
        run: The run.
        who: The command, for those who have to wait.

    Yields:
        The lock: a process that gets its descriptor holds the run too.
    """
    with held(run.folder / "locks" / "run", who) as lock:
        for left in sorted((run.folder / "locks").glob("stage *")):
            with held(left, who):
                pass
        yield lock


@contextmanager
def stage(run: Run, name: str, item: str, *, by_hand: bool) -> Iterator[None]:
    """Hold one stage, so that the same is never made twice at a time.

    Args:
        run: The run.
        name: Of the stage.
        item: Network, pair, fold or notebook of the stage.
        by_hand: Whether a person started it, who holds the whole run by that.
    """
    who = f"paperlib stage {name} {item}".strip()
    with ExitStack() as locks:
        if by_hand:
            locks.enter_context(whole_run(run, who))
        locks.enter_context(held(_stage_lock(run, name, item), who))
        yield


@contextmanager
def held(file: Path, who: str) -> Iterator[TextIO]:
    """Hold a lock; say so and wait while somebody else does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            other = stream.read().strip() or "another command"
            print(f"wait   {who}: {other} or what it started works there; "
                  "Ctrl-C ends the waiting", flush=True)  # fmt: skip
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            print(f"{file.parent} lies where nothing can be locked ({error.strerror}); "
                  "start no second command in this run", flush=True)  # fmt: skip
        stream.truncate(0)
        stream.write(f"`{who}` (process {os.getpid()}, since {time.strftime('%H:%M')})\n")
        stream.flush()
        yield stream


def _stage_lock(run: Run, name: str, item: str) -> Path:
    """Return the lock of a stage; what several runs write has one lock for all of them."""
    if name == "cohort":
        return run.patients.with_name(f".{run.patients.name}.lock")
    if name == "publish":
        return artifacts.ROOT / "runs" / ".publish.lock"
    return run.folder / "locks" / f"stage {name} {item}".strip().replace("/", " ")
