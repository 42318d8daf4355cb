#!/usr/bin/env bash
# A PostgreSQL of one's own on the loopback interface, for as long as a test takes (or to try docs/team-server.md without root).
#   postgres.sh start FOLDER PORT   makes a database cluster in FOLDER/database and starts it; the administrator is `postgres`,
#                                   with the password in FOLDER/postgres.pgpass
#   postgres.sh stop FOLDER         stops it; nothing is removed
# PostgreSQL does not run as root: there it runs as its own user, or nobody.
set -euo pipefail
say() { echo "postgres.sh: $1" >&2; exit 2; }
[[ $# -ge 2 ]] || say "start FOLDER PORT, or stop FOLDER"
bin=${POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2> /dev/null | sort -V | tail -n 1 || true)}
[[ -x $bin/initdb ]] || bin=$(dirname "$(command -v initdb || true)")
[[ -x $bin/initdb ]] || say "PostgreSQL is not installed (Debian: apt-get install postgresql)"
folder=$(realpath -m "$2")
own() { "$@"; }
if [[ $(id -u) -eq 0 ]]; then
  user=$(id -un postgres 2> /dev/null || echo nobody)
  own() { setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"; }
fi
case $1 in
  start)
    umask 077
    mkdir -p "$folder"
    secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "127.0.0.1:$3:*:postgres:$secret" > "$folder/postgres.pgpass"
    mkdir "$folder/database"
    echo "$secret" > "$folder/database.secret"
    if [[ $(id -u) -eq 0 ]]; then
      chmod 711 "$folder"
      chown "$user" "$folder/database" "$folder/database.secret"
    fi
    cd /
    own "$bin/initdb" --pgdata="$folder/database" --username=postgres --pwfile="$folder/database.secret" \
      --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync > /dev/null
    rm "$folder/database.secret"
    own "$bin/pg_ctl" --pgdata="$folder/database" --log="$folder/database/log" --silent --wait --timeout=60 start \
      -o "-p $3 -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off" || {
      own tail -n 3 "$folder/database/log" >&2
      say "it could not be started on port $3"
    }
    ;;
  stop)
    cd /
    own "$bin/pg_ctl" --pgdata="$folder/database" --silent --wait --timeout=60 --mode=fast stop
    ;;
  *) say "start or stop, not $1" ;;
esac
