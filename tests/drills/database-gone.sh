#!/usr/bin/env bash
# The database goes away under load, in three ways: stopped, killed with -9, frozen with SIGSTOP. Meanwhile a Receiver
# fault with 503 and Retry-After, in bounded time, and readiness red; afterwards the gateway goes on by itself, readiness is
# green, and what was acknowledged is there.
#
#     tests/drills/database-gone.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server; it makes and throws away a cluster of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
port=${PORT:-18450}
health=$((port + 1))
. tests/drills/lib/postgres.sh

lay_down
export VARCO_DATABASE__ATTESA_S=2 VARCO_DATABASE__ISTRUZIONE_S=3
# An answer waits for the batch that is at work and for its own: connection and statement, twice.
deadline=10
VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health gateway_start "$port"
until_ready "$health" 200 10 >/dev/null
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --retry --shared --patience 120 --seconds 45 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")

gone() {
    case $1 in
    stopped) cluster_stop ;;
    killed) kill -9 "$(head -1 "$dir/pg/data/postmaster.pid")" ;;
    frozen) kill -STOP $(cluster_processes) ;;
    esac
}
back() {
    case $1 in
    stopped) cluster_start ;;
    killed) cluster_stop && cluster_start ;;
    frozen) kill -CONT $(cluster_processes) ;;
    esac
}
tried=0
for how in stopped killed frozen; do
    sleep 2
    "$varco" sample -o "$dir/domanda.xml" >/dev/null
    tried=$((tried + 1))
    gone "$how"
    red=$(until_ready "$health" 503 10)
    grep -q 'STO-001' "$dir/ready"
    slowest=0
    for _ in 1 2 3; do
        took=$(post "$dir/domanda.xml" "$port")
        slowest=$(awk -v a="$slowest" -v b="$took" 'BEGIN { print (b > a ? b : a) }')
        grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head"
        grep -q 'Value>[a-z]*:Receiver' "$dir/answer" && grep -q 'STO-001' "$dir/answer"
    done
    awk -v took="$slowest" -v deadline="$deadline" 'BEGIN { exit !(took <= deadline) }'
    back "$how"
    since=$(date +%s.%N)
    until post "$dir/domanda.xml" "$port" >/dev/null && grep -q ' 200 ' "$dir/head"; do
        awk -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { exit !(now - since < 30) }'
        sleep 0.1
    done
    grep -q 'Esito>REGISTRATA<' "$dir/answer"
    awk -v how="$how" -v red="$red" -v slowest="$slowest" -v since="$since" -v now="$(date +%s.%N)" 'BEGIN {
        printf "%s: readiness red after %s s; three Receiver faults, 503 with Retry-After, the slowest after %.1f s; ", how, red,
            slowest
        printf "at work again %.1f s after its return\n", now - since }'
    until_ready "$health" 200 10 >/dev/null
done
kill -0 "$gateway"
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"
echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
all_there "$tried"
echo "drill: passed"
