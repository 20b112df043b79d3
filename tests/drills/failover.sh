#!/usr/bin/env bash
# A primary with a synchronous replica, two gateways that know both, load on both gateways: the primary is killed with -9,
# the replica takes over. No acknowledged number is lost or given twice, none is missing; how long nobody was served is
# printed. Then the old primary comes back as if nothing had happened, while the new one is restarted: no gateway goes back.
#
#     tests/drills/failover.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server; it makes and throws away two clusters of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
port=${PORT:-18460}
ports=("$port" $((port + 1)))
health=("$((port + 2))" "$((port + 3))")
. tests/drills/lib/postgres.sh
. tests/drills/lib/replica.sh

lay_down
replica_start
VARCO_STORE=$(url_of_both)
export VARCO_STORE VARCO_DATABASE__ATTESA_S=2 VARCO_DATABASE__ISTRUZIONE_S=3
"$varco" check --config "$config" | grep '^archivio'
for place in 0 1; do
    VARCO_SALUTE__INDIRIZZO=127.0.0.1:${health[$place]} gateway_start "${ports[$place]}"
    until_ready "${health[$place]}" 200 10 >/dev/null
done
urls=(--url "https://127.0.0.1:${ports[0]}" --url "https://127.0.0.1:${ports[1]}")
"$load" "${urls[@]}" --certs "$dir/demo/certs" --connections 8 --retry --shared --patience 120 --seconds 20 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")
sleep 4
"$varco" sample -o "$dir/domanda.xml" >/dev/null
before=$(wc -l <"$dir/acked.tsv")
kill -9 $(cluster_processes)
since=$(date +%s.%N)
red=$(until_ready "${health[0]}" 503 10)
replica_sql "SELECT pg_promote()" >/dev/null
promoted=$(date +%s.%N)
# Both gateways serve again when the last one has answered.
for place in 0 1; do
    until post "$dir/domanda.xml" "${ports[$place]}" >/dev/null && grep -q ' 200 ' "$dir/head"; do
        grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head" || { cat "$dir/head" "$dir/answer" >&2; exit 1; }
        awk -v since="$since" -v now="$(date +%s.%N)" 'BEGIN { exit !(now - since < 10) }'
        sleep 0.1
    done
done
awk -v since="$since" -v promoted="$promoted" -v now="$(date +%s.%N)" -v red="$red" -v before="$before" 'BEGIN {
    printf "primary killed after %d receipts; readiness red after %.1f s; replica promoted %.1f s after the kill\n", before, red, promoted - since
    printf "outage: %.1f s from the kill to the first answers of both gateways, %.1f s of them after the promotion\n", now - since, now - promoted }'
for place in 0 1; do until_ready "${health[$place]}" 200 10 >/dev/null; done
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"

verify() {
    echo "every acknowledged key, sent again:"
    "$load" "${urls[@]}" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
    # A process that has seen nothing yet finds the right one of two that answer.
    all_there "$1"
    [ "$(cut -d' ' -f1 "$dir/verified")" -eq "$(wc -l <"$dir/register.tsv")" ]
    no_gap
}
verify 1

# The old primary does not know that it was replaced.
cluster_stop
cluster_start
old=$(primary_sql "SELECT count(*) FROM registrazioni")
replica_stop immediate
"$varco" sample -o "$dir/altra.xml" >/dev/null
for place in 0 1; do
    post "$dir/altra.xml" "${ports[$place]}" >/dev/null
    grep -q ' 503 ' "$dir/head"
done
[ "$(primary_sql "SELECT count(*) FROM registrazioni")" -eq "$old" ]
replica_up
for place in 0 1; do
    until post "$dir/altra.xml" "${ports[$place]}" >/dev/null && grep -q ' 200 ' "$dir/head"; do sleep 0.1; done
done
[ "$(primary_sql "SELECT count(*) FROM registrazioni")" -eq "$old" ]
echo "the old primary came back with its $old registrations and got none, with the new one down and up again"
verify 2
echo "drill: passed"
