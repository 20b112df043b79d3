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
others=$(nproc --all)
others=$([ "$others" -gt 1 ] && echo "1-$((others - 1))" || echo 0)

demo_start "$dir/demo"
demo_stop
set_clock

# A gateway on an empty store.
fresh() {
    [ -z "$gateway" ] || { kill -TERM "$gateway" 2>/dev/null && wait "$gateway" || true; }
    rm -rf "$dir/demo/store.db"*
    taskset -c 0 "$varco" serve --config "$dir/demo/varco.toml" >"$dir/serve.log" 2>&1 &
    gateway=$!
    ready
}
# Hundredths of a second of CPU by thread, since the start of the gateway.
cpu() {
    for task in "/proc/$gateway/task/"*; do
        tr ' ' '_' <"$task/comm" | tr '\n' ' '
        sed 's/.*) //' "$task/stat" | awk '{ print $12 + $13 }'
    done | awk '{ used[$1] += $2 } END { for (name in used) print name, used[name] }' | sort
}
# Microseconds a message and thread between two of those: FILE FILE MESSAGES.
spent() {
    join "$1" "$2" | awk -v n="$3" '{ us = ($3 - $2) * 10000 / n; all += us
        if (us >= 1) parts = parts sprintf(" %s %.0f", $1, us) } END { printf "CPU %.0f us:%s", all, parts }'
}
rss() { awk -v what="$1" '$1 == what ":" { printf "%.1f MiB", $2 / 1024 }' "/proc/$gateway/status"; }
drive() {
    local what=$1
    shift
    cpu >"$dir/before"
    taskset -c "$others" "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --pid "$gateway" \
        --seconds "$seconds" --json "$dir/load.json" "$@" >"$dir/load.out" 2>&1 || { cat "$dir/load.out"; exit 1; }
    cpu >"$dir/after"
    n=$(grep -oE '[0-9]+ (answers|handshakes)' "$dir/load.out" | head -1 | cut -d' ' -f1)
    echo "$what: $(grep -oE '[0-9.]+/s' "$dir/load.out" | head -1)," \
        "$(grep -oE 'p50.*' "$dir/load.out" | head -1) ms; RSS $(rss VmRSS); $(spent "$dir/before" "$dir/after" "$n")"
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
