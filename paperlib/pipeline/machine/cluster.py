"""What jobs on a cluster said when they failed: their logs lie apart from the command's output."""

import re
from pathlib import Path

LOGS = "logs/slurm"  # under the repository's root, see workflow/profiles/slurm
# Our own sentences, the last line of a traceback, and what the scheduler says of a killed job.
_SAID = re.compile(
    r"^(?:paperlib\b.*: .+|(?:\w+\.)*\w+(?:Error|Exception)\b.*|slurmstepd: error: .+)$",
    re.MULTILINE,
)
_SNAKEMAKES = ("WorkflowError", "RuleException", "CalledProcessError")


def describe_failures(root: Path, since: float) -> list[str]:
    """Return a line for each job that failed: its log, and what was said in it last.

    Args:
        root: Of the repository.
        since: Start of the command, in seconds of the epoch: older logs are of earlier ones.
    """
    found = []
    for log in sorted((root / LOGS).rglob("*.log")):
        text = log.read_text(encoding="utf-8", errors="replace")
        said = [line for line in _SAID.findall(text) if not line.startswith(_SNAKEMAKES)]
        failed = "Error in rule" in text or "slurmstepd: error" in text
        if failed and log.stat().st_mtime >= since:
            found.append(f"failed {log.relative_to(root)}: {said[-1] if said else 'see there'}")
    return found
