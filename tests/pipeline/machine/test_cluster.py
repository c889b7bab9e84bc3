"""What is told of jobs that failed: logs as SLURM and Snakemake left them, shortened."""

import os

import pytest

from paperlib.pipeline.machine.cluster import LOGS, describe_failures

REFUSED = """\
start  baselines 0
paperlib: made to fail
RuleException:
CalledProcessError in file "/somewhere/workflow/Snakefile", line 129:
[Mon Nov 23 07:29:07 2026]
Error in rule baselines:
    message: None
WorkflowError:
At least one job did not complete successfully.
"""
DEFECT = """\
start  baselines 0
Traceback (most recent call last):
  File "/somewhere/paperlib/cli.py", line 1, in <module>
KeyError: 'flair'
CalledProcessError in file "/somewhere/workflow/Snakefile", line 129:
Error in rule baselines:
"""
KILLED = """\
start  baselines 0
slurmstepd: error: *** JOB 7 ON vm CANCELLED AT 2026-11-23T07:29:07 DUE TO TIME LIMIT ***
"""


def _write(root, text, *, number=23, age_s=0):
    log = root / LOGS / "rule_baselines" / "0" / f"{number}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    os.utime(log, (1000 - age_s, 1000 - age_s))


@pytest.mark.parametrize(("text", "said"), [
    (REFUSED, "paperlib: made to fail"),
    (DEFECT, "KeyError: 'flair'"),
    (KILLED, KILLED.splitlines()[1]),
    ("Error in rule baselines:\n", "see there"),
])  # fmt: skip
def test_a_failed_job_is_named_with_what_it_said_last(tmp_path, text, said):
    _write(tmp_path, text)
    assert describe_failures(tmp_path, 900.0) == [f"failed {LOGS}/rule_baselines/0/23.log: {said}"]


def test_jobs_that_succeeded_and_those_of_an_earlier_command_are_left_out(tmp_path):
    _write(tmp_path, "start  baselines 0\ndone   baselines 0 in 3 s\n", number=24)
    _write(tmp_path, REFUSED, age_s=200)
    assert describe_failures(tmp_path, 900.0) == []
