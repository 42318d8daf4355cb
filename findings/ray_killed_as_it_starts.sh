#!/usr/bin/env bash
# A program that is killed while ray.init() starts a cluster of this machine's may leave two of Ray's processes behind, the agents
# of the dashboard and of the runtime environment, for more than twenty seconds: they look for their parent only once they
# have reached a server that is gone. Killed a little later, it leaves none for longer than a second.
# Seen with ray 2.60.0, CPython 3.11, Linux.
set -euo pipefail
folder=$(mktemp -d /tmp/ray-XXXXXX)
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install ray==2.60.0
ours() { grep -lsz "^FINDING=$folder\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
agents() { for p in $(ours); do tr '\0' ' ' < "/proc/$p/cmdline" 2>/dev/null | grep -q -e Agent -e agent && echo "$p"; done; true; }
tidy() { for p in $(ours); do kill -9 "$p" 2>/dev/null || true; done; sleep 1; rm -rf "$folder"; }
trap tidy EXIT
export RAY_USAGE_STATS_ENABLED=0
left=0
for wait in 0 0.2 0.5 1 1.5; do # seconds from the first sight of an agent: when it is at its imports depends on the machine
    FINDING=$folder "$folder/venv/bin/python" -c "import ray; ray.init(num_cpus=1, include_dashboard=False, _temp_dir='$folder'); import time; time.sleep(99)" > /dev/null 2>&1 &
    program=$!
    for _ in $(seq 600); do [ -z "$(agents)" ] || break; sleep 0.1; done
    sleep "$wait"
    kill -9 "$program"
    sleep 20
    left=$(agents | wc -l)
    echo "killed $wait s after its agents were seen: $left of them are there 20 s later"
    [ "$left" = 0 ] || break
done
[ "$left" -gt 0 ] || { echo "none is left any more"; exit 1; }
echo "as described: agents that outlive the program which started them"
