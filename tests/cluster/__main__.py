"""`python tests/cluster`: the smoke book on a real SLURM cluster of this one machine.

Starts munged, slurmctld and slurmd on loopback, builds the book of a fresh copy with
CLUSTER=slurm, makes a job fail and looks whether that is noticed, and ends what it started.
Needs root, Debian's packages slurm-wlm and munge, and no SLURM of your own; says so and ends
with 77 where it cannot run.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paperlib.pipeline.comparisons import baselines

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Path("/etc/slurm/slurm.conf")  # jobs do not inherit SLURM_CONF
SKIPPED = 77
DAEMONS = ("munged", "slurmctld", "slurmd")
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CommunicationParameters=NoInAddrAny
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
BOOK = ["make", "-o", ".venv/installed", "book", "PROFILE=smoke", "CLUSTER=slurm"]
LOCAL_RULES = {"all", "publish"}
BROKEN = "\nraise OSError('made to fail')\n"


def main() -> int:
    """Return 0 if all was seen, 77 if it could not be tried."""
    if reason := why_not():
        print(f"skipped: {reason}; nothing about SLURM was tested")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="one-node-") as temporary, cluster(Path(temporary)):
        folder = Path(temporary) / "copy"
        copy_project(folder)
        look_at_success(folder)
        look_at_failure(folder)
        look_at_no_change(folder)
    print("seen: a book made by jobs, a failed job noticed, the same command finishing it")
    return 0


def why_not() -> str:
    """Return why no cluster can be started here, or an empty string."""
    missing = [name for name in (*DAEMONS, "sbatch", "make", "git") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} missing; apt-get install slurm-wlm munge"
    if os.geteuid():
        return "the daemons want root"
    return f"{SETTINGS} is there: this machine has a SLURM of its own" if SETTINGS.exists() else ""


@contextmanager
def cluster(place: Path) -> Iterator[None]:
    """Run SLURM for one node on loopback, from files in `place`."""
    place.chmod(0o755)
    for name in ("state", "spool", "log"):
        (place / name).mkdir()
    key = place / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host, memory = socket.gethostname(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    values = {"host": host, "place": place, "cores": os.cpu_count()}
    SETTINGS.parent.mkdir(exist_ok=True)
    SETTINGS.write_text(CONFIGURATION.format(**values, memory_mb=memory * 9 // 10 // 2**20))
    munged = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munged += [f"--socket={place}/munge.socket", f"--pid-file={place}/munged.pid"]
    munged += [f"--log-file={place}/log/munged", f"--seed-file={place}/munge.seed"]
    started = []
    try:
        for command in (munged, ["slurmctld", "-D"], ["slurmd", "-D"]):
            log = (place / "log" / f"{command[0]}.out").open("w")
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
            time.sleep(2)
        wait_for_node(place)
        yield
    finally:
        for daemon in reversed(started):
            daemon.terminate()
            daemon.wait(timeout=60)
        SETTINGS.unlink()


def wait_for_node(place: Path) -> None:
    """Return once the node takes jobs."""
    state = ""
    for _ in range(60):
        state = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True,
                               check=False).stdout.strip()  # fmt: skip
        if state == "idle":
            return
        time.sleep(1)
    logs = "\n".join(log.read_text()[-2000:] for log in (place / "log").iterdir())
    raise SystemExit(f"The node never took jobs (state {state!r}):\n{logs}")


def copy_project(folder: Path) -> None:
    """Clone the repository; packages come from this checkout's environment."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())


def make_book(folder: Path) -> tuple[int, str]:
    """Return exit code and output of `make book CLUSTER=slurm`."""
    began = time.monotonic()
    done = subprocess.run(
        BOOK, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    print(done.stdout)
    for name, text in jobs_of(folder).items() if done.returncode else ():
        print(f"-- {name}\n{text[-1500:]}")
    print(f"-- exit {done.returncode} after {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode, done.stdout


def jobs_of(folder: Path) -> dict[str, str]:
    """Return what each job wrote, by rule."""
    return {
        log.relative_to(folder).as_posix(): log.read_text()
        for log in sorted((folder / "logs" / "slurm").rglob("*.log"))
    }


def look_at_success(folder: Path) -> None:
    """Every step but the last is a job, says why it ran, and the book is there."""
    code, _ = make_book(folder)
    require(code == 0, "the book was not built")
    require((folder / "_build" / "html" / "index.html").exists(), "no first page")
    logs = jobs_of(folder)
    rules = {name.split("/")[2].removeprefix("rule_") for name in logs}
    expected = {"patients", "prepare", "network", "segment", "baselines", "attribution", "gather",
                "notebook"}  # fmt: skip
    require(rules == expected, f"jobs of {sorted(rules)}, expected {sorted(expected)}")
    silent = [name for name, text in logs.items() if "runs because" not in text]
    require(not silent, f"no reason given by {silent}")
    print(f"-- {len(logs)} jobs of {len(rules)} rules")


def look_at_failure(folder: Path) -> None:
    """A job that fails stops the book, which names it; mended, the same command finishes."""
    module = folder / Path(baselines.__file__).relative_to(ROOT)
    whole = module.read_text()
    module.write_text(whole + BROKEN)
    code, said = make_book(folder)
    require(code != 0, "a failed job was not noticed")
    named = "failed logs/slurm/rule_baselines/0/" in said and ": made to fail" in said
    require(named, "the failed step is not named with what it said")
    module.write_text(whole)
    code, _ = make_book(folder)
    require(code == 0, "the same command did not finish the book")


def look_at_no_change(folder: Path) -> None:
    """What is done makes no job."""
    before = len(jobs_of(folder))
    code, _ = make_book(folder)
    require(code == 0 and len(jobs_of(folder)) == before, "jobs although nothing changed")


def require(seen: bool, complaint: str) -> None:
    """End with a complaint unless something was seen."""
    if not seen:
        raise SystemExit(f"tests/cluster: {complaint}")


if __name__ == "__main__":
    sys.exit(main())
