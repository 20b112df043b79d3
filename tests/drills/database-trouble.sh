#!/usr/bin/env bash
# The database is there and in trouble, under load: others have taken all its connections; every commit takes 100 ms; its
# disk is full. Receiver faults with 503 and Retry-After in bounded time where it cannot register, readiness red, no hand
# needed afterwards, and what was acknowledged is there.
#
#     tests/drills/database-trouble.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server; it makes and throws away a cluster of its own. The full disk is a small tmpfs,
# for which it needs the right to mount one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
port=${PORT:-18474}
health=$((port + 1))
. tests/drills/lib/postgres.sh
. tests/drills/lib/replica.sh
# The small disk goes after the server that has a hand on it, and before the folder.
leave() {
    local pid
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    exec 9>&- || true
    [ -z "${cluster:-}" ] || wait "$cluster" 2>/dev/null || true
    mountpoint -q "$dir/small" && umount "$dir/small"
    end
}
trap leave EXIT

lay_down
mkdir "$dir/small"
disk=no
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=512m tmpfs "$dir/small" 2>/dev/null; then
    disk=yes
    mkdir "$dir/small/db"
    chown "$(stat -c %u:%g "$dir/pg/data")" "$dir/small" "$dir/small/db"
    primary_sql "CREATE TABLESPACE small LOCATION '$dir/small/db'" postgres
    primary_sql "ALTER DATABASE varco SET TABLESPACE small" postgres
fi
export VARCO_DATABASE__ATTESA_S=2 VARCO_DATABASE__ISTRUZIONE_S=3
# An answer waits for the batch that is at work and for its own: connection and statement, twice.
deadline=10
VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health gateway_start "$port"
until_ready "$health" 200 10 >/dev/null
tried=0

load_for() {
    "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --retry --shared --patience 300 \
        --seconds "$1" --acked "$dir/acked.$2.tsv" >"$dir/load.out" 2>&1 9>&- &
    sender=$!
    pids+=("$sender")
    sleep 1
    "$varco" sample -o "$dir/domanda.xml" >/dev/null
    tried=$((tried + 1))
}
# Three Receiver faults with the code given, in time, and readiness red meanwhile. A disk that is all but full still has room
# for one domanda or another.
in_trouble() {
    local slowest=0 took red faults=0 taken=0
    while [ "$faults" -lt 3 ]; do
        took=$(post "$dir/domanda.xml" "$port")
        slowest=$(awk -v a="$slowest" -v b="$took" 'BEGIN { print (b > a ? b : a) }')
        if grep -q ' 200 ' "$dir/head" && [ "$1" = STO-002 ] && [ "$taken" -lt 500 ]; then
            "$varco" sample -o "$dir/domanda.xml" >/dev/null
            tried=$((tried + 1))
            taken=$((taken + 1))
            continue
        fi
        grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head" && grep -q "$1" "$dir/answer" &&
            grep -q 'Value>[a-z]*:Receiver' "$dir/answer" || { cat "$dir/head" "$dir/answer" >&2; return 1; }
        faults=$((faults + 1))
    done
    awk -v took="$slowest" -v deadline="$deadline" 'BEGIN { exit !(took <= deadline) }'
    red=$(until_ready "$health" 503 10)
    grep -q "$1" "$dir/ready"
    printf '%s: three Receiver faults (%s), 503 with Retry-After, the slowest after %.1f s; readiness red after %s s: %s\n' \
        "$2" "$1" "$slowest" "$red" "$(cat "$dir/ready")"
}
out_of_it() {
    local since
    since=$(date +%s.%N)
    until post "$dir/domanda.xml" "$port" >/dev/null && grep -q ' 200 ' "$dir/head"; do
        awk -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { exit !(now - since < 30) }'
        sleep 0.1
    done
    awk -v how="$1" -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { printf "%s: at work again after %.1f s\n", how, now - since }'
    until_ready "$health" 200 10 >/dev/null
    wait "$sender" || { cat "$dir/load.out"; exit 1; }
    cat "$dir/load.out"
}

# Kept out at first, so that the others find every place free; then let in again, where there is none.
load_for 15 connections
primary_sql "ALTER ROLE varco_gateway CONNECTION LIMIT 0"
primary_sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'varco_gateway'" >/dev/null
echo 'SELECT pg_sleep(0.5)' >"$dir/sleep.sql"
chmod 644 "$dir/sleep.sql"
server pgbench -n -c 198 -j 2 -T 30 -f "$dir/sleep.sql" -U varco -h "$(socket_of)" postgres >/dev/null 2>"$dir/others" &
others=$!
pids+=("$others")
until [ "$(primary_sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'" 2>/dev/null)" = 198 ]; do
    kill -0 "$others" || { cat "$dir/others" >&2; exit 1; }
    sleep 0.2
done
primary_sql "ALTER ROLE varco_gateway CONNECTION LIMIT -1"
in_trouble STO-001 "out of connections"
primary_sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgbench'" >/dev/null
wait "$others" || true
out_of_it "out of connections"

primary_sql "ALTER SYSTEM SET commit_delay = 100000"
primary_sql "ALTER SYSTEM SET commit_siblings = 0"
primary_sql "SELECT pg_reload_conf()" >/dev/null
load_for 10 slow
took=$(post "$dir/domanda.xml" "$port")
grep -q ' 200 ' "$dir/head"
[ "$(readiness "$health")" = 200 ]
echo "100 ms a commit: answered after $took s, readiness green"
out_of_it "100 ms a commit"
primary_sql "ALTER SYSTEM RESET commit_delay"
primary_sql "SELECT pg_reload_conf()" >/dev/null

if [ "$disk" = yes ]; then
    load_for 20 disk
    dd if=/dev/zero of="$dir/small/full" bs=64k 2>/dev/null || true
    dd if=/dev/zero of="$dir/small/full" bs=512 oflag=append conv=notrunc 2>/dev/null || true
    in_trouble STO-002 "disk full"
    rm "$dir/small/full"
    out_of_it "disk full"
else
    echo "disk full: SKIPPED, no small file system can be mounted here" >&2
fi

cat "$dir"/acked.*.tsv >"$dir/acked.tsv"
echo "every acknowledged key, sent again:"
for file in "$dir"/acked.*.tsv; do
    "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --verify "$file"
done
all_there "$tried"
echo "drill: passed"
