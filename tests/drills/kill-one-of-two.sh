#!/usr/bin/env bash
# Two gateways on one PostgreSQL, one of them killed with -9 under load, N times, in turn: whoever sent to it sends again
# to the other. Nothing acknowledged is lost, nothing is doubled, no number is missing, and each of the two knows every
# key that was acknowledged, with the same number. Then a lot, whose worker is killed and does not come back: the other
# takes it over, once the claim has run out, and its outcome is as if nothing had happened.
#
#     tests/drills/kill-one-of-two.sh [ROUNDS] [VARCO] [LOAD] [ITEMS]
#
# Needs the programs of a PostgreSQL server; it makes and throws away a cluster of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-30}
varco=$(realpath "${2:-target/release/varco}")
load=${3:-target/release/examples/load}
items=${4:-20000}
port=${PORT:-18448}
ports=("$port" $((port + 1)))
. tests/drills/lib/postgres.sh

lay_down
running=()
for place in 0 1; do
    gateway_start "${ports[$place]}"
    running[$place]=$gateway
done
urls=(--url "https://127.0.0.1:${ports[0]}" --url "https://127.0.0.1:${ports[1]}")
"$load" "${urls[@]}" --certs "$dir/demo/certs" --connections 8 --retry --seconds $((rounds * 2 + 5)) \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")
for round in $(seq "$rounds"); do
    # From 0.1 to 0.8 seconds with both at work, so that the kill falls anywhere in a batch.
    sleep "$(awk -v seed="$round" 'BEGIN { srand(seed * 7919); print 0.1 + rand() * 0.7 }')"
    kill -0 "$sender" || { echo "the load ended before round $round" >&2; cat "$dir/load.out" >&2; exit 1; }
    place=$((round % 2))
    kill -9 "${running[$place]}"
    wait "${running[$place]}" 2>/dev/null || true
    sleep "$(awk -v seed="$round" 'BEGIN { srand(seed * 104729); print rand() * 0.3 }')"
    gateway_start "${ports[$place]}"
    running[$place]=$gateway
done
echo "killed $rounds times, one of the two at a time; the load goes on to its end"
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"

for place in 0 1; do
    echo "every acknowledged key, sent again to the gateway on port ${ports[$place]}:"
    "$load" --url "https://127.0.0.1:${ports[$place]}" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
done
all_there 0

"$varco" sample --lotto "$items" --semplice --seme 5000000 -o "$dir/lotto.xml"
lot() { local what=$1; shift; "$varco" lot "$what" --config "$config" --url "https://127.0.0.1:${ports[$other]}" "$@"; }
# The lot's row as `lot queue` prints it; empty when it is no longer open.
row() { "$varco" lot queue --config "$config" | grep PAT01 || true; }
other=1
lot send "$dir/lotto.xml" >"$dir/lot.out"
id=$(grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' "$dir/lot.out" | head -1)
until row | grep -q 'varco[0-9]*$'; do sleep 0.1; done
worker=$(($(row | grep -o '[0-9]*$') - port))
other=$((1 - worker))
sleep 1
kill -9 "${running[$worker]}"
since=$(date +%s)
wait "${running[$worker]}" 2>/dev/null || true
row
until row | grep -q "varco${ports[$other]}\$"; do sleep 0.5; [ $(($(date +%s) - since)) -lt 60 ]; done
echo "the lot's worker was killed: the other gateway took it over after $(($(date +%s) - since)) s"
lot watch "$id" >/dev/null 2>"$dir/watch.out" || { cat "$dir/watch.out"; exit 1; }
lot outcome "$id" --csv -o "$dir/esiti.csv" 2>/dev/null
grep -c ';REGISTRATA;' "$dir/esiti.csv" | grep -qx "$items"
[ "$(grep ';REGISTRATA;' "$dir/esiti.csv" | cut -d';' -f6 | sort -u | wc -l)" -eq "$items" ]
all_there "$items"
no_gap
echo "drill: passed"
