#!/usr/bin/env bash
# The synchronous standby goes away under load: a COMMIT waits for ever, and no time-out of the server ends it. Every sender
# gets a Receiver fault with 503 and Retry-After in bounded time, also for the key whose COMMIT waits; no session is ended,
# none piles up; readiness is red. The primary is even killed and started again in between, which makes the waiting commits
# visible: their numbers are not told either. When the standby is back, every key gets one number, the one it had drawn.
#
#     tests/drills/standby-gone.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server; it makes and throws away two clusters of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
port=${PORT:-18464}
health=$((port + 1))
. tests/drills/lib/postgres.sh
. tests/drills/lib/replica.sh

lay_down
replica_start
export VARCO_DATABASE__ATTESA_S=2 VARCO_DATABASE__ISTRUZIONE_S=3
# The batch that hangs, its look back, and that of the batch before.
deadline=15
VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health gateway_start "$port"
until_ready "$health" 200 10 >/dev/null
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 4 --retry --shared --patience 180 --seconds 60 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")
sleep 2
"$varco" sample -o "$dir/domanda.xml" >/dev/null

waiting() { primary_sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"; }
# Sends the same key again and again for so many seconds; only Receiver faults, in time, come back.
refused_for() {
    local end=$((SECONDS + $1)) took slowest=0 faults=0
    while [ "$SECONDS" -lt "$end" ]; do
        took=$(post "$dir/domanda.xml" "$port")
        slowest=$(awk -v a="$slowest" -v b="$took" 'BEGIN { print (b > a ? b : a) }')
        grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head" && grep -q 'STO-001' "$dir/answer" ||
            { cat "$dir/head" "$dir/answer" >&2; return 1; }
        faults=$((faults + 1))
        sleep 0.2
    done
    awk -v took="$slowest" -v deadline="$deadline" 'BEGIN { exit !(took <= deadline) }'
    awk -v n="$faults" -v s="$slowest" -v w="$(waiting)" 'BEGIN { printf "%d Receiver faults, 503 with Retry-After, the slowest after %.1f s; %d sessions wait for the standby\n", n, s, w }'
}

replica_stop immediate
red=$(until_ready "$health" 503 15)
told=$(wc -l <"$dir/acked.tsv")
echo "standby gone: readiness red after $red s: $(cat "$dir/ready")"
refused_for 20
# One batch of acts, one of traces, one probe; none is tried again while one hangs.
most=$(waiting)
[ "$most" -ge 1 ] && [ "$most" -le 8 ]
[ "$(wc -l <"$dir/acked.tsv")" -eq "$told" ]

kill -9 "$(head -1 "$dir/pg/data/postmaster.pid")"
cluster_stop
cluster_start
shown=$(primary_sql "SELECT count(*) FROM registrazioni")
echo "primary killed and started again without its standby: $shown registrations are there, $told were told"
refused_for 8
[ "$(wc -l <"$dir/acked.tsv")" -eq "$told" ]
[ "$(readiness "$health")" = 503 ]

let_in
replica_up
since=$(date +%s.%N)
until post "$dir/domanda.xml" "$port" >/dev/null && grep -q ' 200 ' "$dir/head"; do
    awk -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { exit !(now - since < 30) }'
    sleep 0.1
done
awk -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { printf "standby back: at work again after %.1f s\n", now - since }'
until_ready "$health" 200 10 >/dev/null
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"
echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
all_there 1
echo "drill: passed"
