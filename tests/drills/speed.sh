#!/usr/bin/env bash
# How fast, and what it costs: single domande, look-ups, handshakes and lots against a release build with the embedded
# store, everything on: durable commits, trace, payloads. The gateway has core 0 for itself, the client the others.
#
#     tests/drills/speed.sh [SECONDS] [VARCO] [LOAD]
#
# Each line: what, how many a second, latency or RSS, CPU of the gateway a message and by thread. Reported, not asserted;
# docs/prestazioni.md tells how to read it. Only loopback is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-10}
varco=$(realpath "${2:-target/release/varco}")
load=$(realpath "${3:-target/release/examples/load}")
dir=$(mktemp -d)
port=${PORT:-18443}
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
# shellcheck source=tests/drills/lib/speed.sh
. tests/drills/lib/speed.sh
demo_start "$dir/demo"
demo_stop
set_clock

# A gateway on an empty store.
fresh() {
    [ -z "$gateway" ] || { kill -TERM "$gateway" 2>/dev/null && wait "$gateway" || true; }
    rm -rf "$dir/demo/store.db"*
    on_core_0 "$varco" serve --config "$dir/demo/varco.toml" >"$dir/serve.log" 2>&1 &
    gateway=$!
    ready
}
for connections in 1 16 64; do
    fresh
    drive "domanda, $connections connections" --connections "$connections"
done
number=$(grep -oE 'INPS-AUF-2021-[0-9]{12}' "$dir/load.out" | tail -1)
drive "ConsultaDomanda, 16 connections" --connections 16 --consulta "$number"
drive "handshakes" --handshakes

for items in 100 1000 10000 40000; do
    fresh
    "$varco" sample --lotto "$items" --semplice --data 2021-07-15 -o "$dir/lotto.xml" 2>/dev/null
    idle=$(rss VmRSS)
    cpu >"$dir/before"
    began=$(date +%s%N)
    taskset -c "$others" "$varco" lot send --config "$dir/demo/varco.toml" "$dir/lotto.xml" >"$dir/send.out"
    until grep -qs 'a lot has ended' "$dir/serve.log"; do sleep 0.02; kill -0 $gateway; done
    ended=$(date +%s%N)
    cpu >"$dir/after"
    echo "lot of $items ($(stat -c %s "$dir/lotto.xml") bytes):" \
        "$(awk -v n="$items" -v ns=$((ended - began)) 'BEGIN { printf "%.0f/s", n * 1e9 / ns }');" \
        "RSS $(rss VmHWM) at most, idle $idle; $(spent "$dir/before" "$dir/after" "$items")"
done

# Single domande beside a lot: what a family at the counter waits while 40,000 others are worked.
fresh
taskset -c "$others" "$varco" lot send --config "$dir/demo/varco.toml" "$dir/lotto.xml" >"$dir/send.out"
seconds=3 drive "domanda beside a lot of 40000, 16 connections" --connections 16 --shared
"$varco" lot queue --config "$dir/demo/varco.toml" | tail -n +1
