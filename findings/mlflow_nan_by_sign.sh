#!/usr/bin/env bash
# Did a diverged run end in NaN? In MLflow's database that depends on the sign of what it had logged before. A run's metric is its
# latest value: the greatest step, then the latest time, then the greatest value. NaN has no order, and the database store compares
# it as the 0 it keeps in its place: a loss of 0.2, and NaN after it at the same step and time, reads 0.2; a log-likelihood of
# -0.2 and NaN reads NaN. Values logged without a step are all at step 0, and what is sent after the run, or in one batch, shares
# its time. So searched for the least loss, the diverged run is first, with the last loss before it broke; searched for the greatest
# log-likelihood, it is last. MLflow's file store, on the same calls, answers whichever of the two was logged first.
# Seen with mlflow-skinny 3.17.2, SQLAlchemy 2.1.9, alembic 1.20.1, CPython 3.11, Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install mlflow-skinny==3.17.2 SQLAlchemy==2.1.9 alembic==1.20.1
cd "$folder"
cat > seen.py <<'P'
import logging
import math
import sys

logging.disable(logging.INFO)
from mlflow import MlflowClient

client = MlflowClient(sys.argv[1])
study = client.create_experiment("study")


def run(name, **curves):
    """A run whose values share one step, 0, and one time."""
    made = client.create_run(study, tags={"mlflow.runName": name}).info.run_id
    for key, values in curves.items():
        for value in values:
            client.log_metric(made, key, value, timestamp=1000)
    return client.get_run(made).data.metrics


nan = math.nan
steady = run("steady", loss=[0.3], likelihood=[-0.3])
diverged = run("diverged", loss=[0.2, nan], likelihood=[-0.2, nan])
started = run("bad start", loss=[nan, 0.4], likelihood=[nan, -0.4])
by_loss = [found.info.run_name for found in client.search_runs([study], order_by=["metrics.loss ASC"])]
by_likelihood = [found.info.run_name for found in client.search_runs([study], order_by=["metrics.likelihood DESC"])]
print(f"{sys.argv[1].partition(':')[0]}: diverged {diverged}, bad start {started}; least loss first: {by_loss}; "
      f"greatest log-likelihood first: {by_likelihood}")
assert steady == {"loss": 0.3, "likelihood": -0.3}
if sys.argv[1].startswith("sqlite"):
    assert (diverged["loss"], started["loss"]) == (0.2, 0.4), "NaN beside a loss is kept now"
    assert math.isnan(diverged["likelihood"]) and math.isnan(started["likelihood"])
    assert by_loss[0] == "diverged" and by_likelihood[0] == "steady"
else:
    assert diverged == {"loss": 0.2, "likelihood": -0.2}, "the file store no longer keeps the first"
    assert all(math.isnan(value) for value in started.values())
P
export MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_FILE_STORE=true
"$folder/venv/bin/python" -W ignore seen.py "sqlite:///$folder/runs.db"
"$folder/venv/bin/python" -W ignore seen.py "file:$folder/runs"
echo "as described: NaN yields to what is above 0, and not to what is below"
