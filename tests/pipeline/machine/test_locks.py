"""Two commands in one run: the second waits and says for whom; other runs go on beside it."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from paperlib import artifacts
from paperlib.pipeline.machine import locks
from paperlib.pipeline.run import open_run

PROJECT = Path(__file__).parents[3]
HOLD = """
import subprocess, sys
from paperlib.pipeline.machine import locks
from paperlib.pipeline.run import open_run
with locks.whole_run(open_run("smoke"), "make book") as lock:
    child = subprocess.Popen(
        ["sleep", "60"], pass_fds=[lock.fileno()], stdout=subprocess.DEVNULL
    )
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    return open_run("smoke")


def _is_free(file):
    with file.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _second(hold, said):
    """Start a thread that wants the lock; return it once it says that it waits."""
    got = []

    def want():
        with hold():
            got.append(time.monotonic())

    thread = threading.Thread(target=want)
    thread.start()
    for _ in range(500):
        if said():
            return thread, got
        time.sleep(0.02)
    raise AssertionError("the second never said that it waits")


def test_the_second_command_in_a_run_waits_and_says_for_whom(run, capsys):
    out = []

    def said():
        out.append(capsys.readouterr().out)
        return "wait " in "".join(out)

    with locks.whole_run(run, "make book PROFILE=smoke"):
        thread, got = _second(lambda: locks.whole_run(run, "paperlib ablations"), said)
        assert got == []
        left = time.monotonic()
    thread.join(timeout=20)
    assert got[0] >= left
    text = "".join(out)
    assert text.startswith("wait   paperlib ablations: `make book PROFILE=smoke`")
    assert f"(process {os.getpid()}, since " in text


def test_a_stage_by_hand_waits_for_the_whole_run_and_one_of_the_workflow_does_not(run):
    with locks.whole_run(run, "make book"):
        with locks.stage(run, "network", "a/flair", by_hand=False):
            assert not _is_free(run.folder / "locks" / "stage network a flair")
        assert not _is_free(run.folder / "locks" / "run")
    with locks.stage(run, "gather", "", by_hand=True):
        assert not _is_free(run.folder / "locks" / "run")
    assert _is_free(run.folder / "locks" / "run")


def test_runs_of_other_profiles_do_not_wait_for_each_other(run, capsys):
    others = open_run("phantom"), open_run("smoke", folds=2)
    with ExitStack() as all_at_once:
        for one in (run, *others):
            all_at_once.enter_context(locks.whole_run(one, one.command))
    assert "wait" not in capsys.readouterr().out


@pytest.mark.parametrize(("name", "profile"), [("cohort", "laptop"), ("publish", "smoke")])
def test_what_two_runs_write_has_one_lock_for_both(run, name, profile):
    """The phantom's patients are those of `laptop` too; there is one book."""
    one, two = open_run("phantom"), open_run(profile)
    assert one.name != two.name
    assert locks._stage_lock(one, name, "") == locks._stage_lock(two, name, "")
    assert locks._stage_lock(one, "gather", "") != locks._stage_lock(two, "gather", "")


def test_a_command_waits_for_what_a_killed_one_left_working(run, tmp_path, capsys):
    """Snakemake inherits the lock, so that `kill -9` of its parent does not free the run."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env=os.environ | {"PAPERLIB_ROOT": str(tmp_path)},
    )  # fmt: skip
    left_over = int(holder.stdout.readline())
    try:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
        assert not _is_free(run.folder / "locks" / "run")
    finally:
        os.kill(left_over, signal.SIGKILL)
    with locks.whole_run(run, "make book"):  # as soon as it is gone
        pass


def test_a_new_workflow_waits_for_a_stage_that_an_old_one_left_working(run, capsys):
    out = []

    def said():
        out.append(capsys.readouterr().out)
        return "wait " in "".join(out)

    with locks.stage(run, "network", "a/flair", by_hand=False):
        thread, got = _second(lambda: locks.whole_run(run, "make book"), said)
        assert got == []
    thread.join(timeout=20)
    assert len(got) == 1
    assert "`paperlib stage network a/flair`" in "".join(out)


def test_a_file_system_without_locks_is_said_and_used(run, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(locks.errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    with locks.whole_run(run, "make book"):
        pass
    assert "start no second command in this run" in capsys.readouterr().out
