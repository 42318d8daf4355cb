#!/usr/bin/env bash
# A job of submitit's that is preempted is taken for one whose time was over if its limit is ten minutes or less: the time that
# it has for certain is worked out as min(80 % of the limit, the limit less ten minutes), which is negative, and any time is more.
# With max_num_timeout=0, as Hydra's launcher has it, such a job is not queued again: "timed-out too many times", after a second.
# Seen with submitit 1.5.4, CPython 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install submitit==1.5.4
cat > "$folder/ask.py" <<'P'
import logging
import os
import sys
from pathlib import Path

from submitit.core.job_environment import SignalHandler
from submitit.core.utils import DelayedSubmission, JobPaths
from submitit.helpers import Checkpointable
from submitit.slurm.slurm import SlurmJobEnvironment

logging.disable(logging.CRITICAL)

class Work(Checkpointable):
    def __call__(self):
        pass

def heard(minutes):
    """What becomes of a job with this limit, told to go in its first second."""
    job = DelayedSubmission(Work())
    job.set_timeout(minutes, max_num_timeout=0)
    done = []
    env = SlurmJobEnvironment()
    env._requeue = lambda countdown: done.append("queued again")
    folder = Path(sys.argv[1]) / str(minutes)
    folder.mkdir()

    os.environ["SLURM_JOB_ID"] = "1"
    handler = SignalHandler(env, JobPaths(folder, job_id="1"), job)
    handler._exit = lambda: None
    try:
        handler.checkpoint_and_try_requeue(10)
    except Exception as error:
        done.append(str(error))
    return done[0]

for minutes in (60, 11, 10, 5):
    print(f"{minutes} min: {heard(minutes)}")
P
said=$("$folder/venv/bin/python" "$folder/ask.py" "$folder")
echo "$said"
grep -q '^60 min: queued again' <<< "$said" || { echo "a job of an hour is not queued again"; exit 1; }
grep -q '^11 min: queued again' <<< "$said" || { echo "a job of 11 minutes is not queued again"; exit 1; }
[ "$(grep -c 'timed-out too many times' <<< "$said")" = 2 ] || { echo "short jobs are queued again now"; exit 1; }
echo "as described: preempted in its first second, a job of at most ten minutes is said to have timed out"
