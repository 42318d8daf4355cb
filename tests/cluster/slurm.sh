#!/bin/sh
# A SLURM of one machine, for tests: a controller, a daemon and a key of its own, all in one folder, on loopback.
#
#     tests/cluster/slurm.sh start FOLDER [CPUS] [PID]   prints what to put into the environment (SLURM_CONF=…); it stops by itself
#                                                        when the process PID, if one is given, is gone
#     tests/cluster/slurm.sh stop FOLDER                 ends its jobs, then its daemons
#
# Needs Debian's slurm-wlm and munge, and root: a daemon that is to start jobs as whoever sent them is root's. Two
# partitions: `main`, and `short`, which holds no job for longer than two minutes. No accounting (sacct): clusters without it exist.
set -eu
PATH=$PATH:/usr/sbin:/sbin
fail() { echo "slurm.sh: $*" >&2; exit 3; }
[ $# -ge 2 ] || fail "start FOLDER [CPUS] [PID], or stop FOLDER"
action=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

end() { # a daemon by the file with its id
    [ -s "$folder/$1" ] || return 0
    id=$(cat "$folder/$1")
    kill "$id" 2>/dev/null || return 0
    for _ in $(seq 50); do kill -0 "$id" 2>/dev/null || return 0; sleep 0.1; done
    kill -9 "$id" 2>/dev/null || true
}

stop() {
    export SLURM_CONF="$folder/slurm.conf"
    scancel --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 50); do [ -n "$(squeue -h 2>/dev/null)" ] || break; sleep 0.1; done
    end slurmd.pid
    end slurmctld.pid
    end munged.pid
}

if [ "$action" = stop ]; then stop; exit 0; fi
[ "$action" = start ] || fail "start or stop, but $action was given"
for program in munged slurmctld slurmd sbatch; do
    command -v $program >/dev/null || fail "$program is not installed: apt-get install slurm-wlm munge"
done
[ "$(id -u)" = 0 ] || fail "it must be root"

cpus=${3:-2}
host=$(hostname -s)
# the daemons' ports: two that are free now
ports=$(python3 -c 'import socket
held = [socket.socket() for _ in "12"]
for s in held: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])')
mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
chmod 755 "$folder" "$folder/munge"
head -c 1024 /dev/urandom > "$folder/munge.key"
chmod 400 "$folder/munge.key"
touch "$folder/cgroup.conf"
cat > "$folder/slurm.conf" <<END
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports% *}
SlurmdPort=${ports#* }
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
KillWait=5
BatchStartTimeout=30
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=$host MaxTime=2 State=UP
END
export SLURM_CONF="$folder/slurm.conf"
trap 'stop' EXIT INT TERM
# as root, in a folder that may lie below one that others can write to
munged --force --key-file="$folder/munge.key" --socket="$folder/munge/socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" --num-threads=2 > "$folder/munged.out" 2>&1 \
    || fail "munged did not start: $(tail -n 1 "$folder/munged.out")"
slurmctld -c > "$folder/slurmctld.out" 2>&1 || fail "slurmctld did not start: $(tail -n 1 "$folder/slurmctld.out")"
slurmd > "$folder/slurmd.out" 2>&1 || fail "slurmd did not start: $(tail -n 1 "$folder/slurmd.out")"
for _ in $(seq 150); do
    case $(sinfo -h -o %T 2>/dev/null | head -n 1) in idle*) ready=1; break ;; esac
    sleep 0.2
done
[ "${ready:-}" ] || fail "its node is not idle after 30 s: $(tail -n 1 "$folder/slurmd.log")"
trap - EXIT INT TERM
if [ $# -ge 4 ]; then
    # in a session of its own: Ctrl-C is for whoever is watched
    setsid sh -c 'while kill -0 "$1" 2>/dev/null && [ -e "$3/slurmctld.pid" ]; do sleep 1; done; [ ! -e "$3/slurmctld.pid" ] || exec "$2" stop "$3"' \
        watch "$4" "$(cd "$(dirname "$0")" && pwd)/slurm.sh" "$folder" >/dev/null 2>&1 &
fi
echo "SLURM_CONF=$folder/slurm.conf"
