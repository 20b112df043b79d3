#!/usr/bin/env bash
# What the chain of proof costs a message: the same load with the sealer on and off, in turn, on the embedded store.
#
#     tests/drills/seals.sh [SECONDS] [ROUNDS] [VARCO] [LOAD]
#
# Each line: on or off, domande a second, latency, CPU of the gateway a message (user and system time of all its threads,
# the sealer's included, from /proc). Reported, not asserted: docs/prestazioni.md. With the sealer on, all that was written
# must be sealed in the end, and as it was: that is asserted. The gateway has core 0, the client the others; only loopback.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-10}
rounds=${2:-3}
varco=$(realpath "${3:-target/release/varco}")
load=$(realpath "${4:-target/release/examples/load}")
dir=$(mktemp -d)
port=${PORT:-18447}
gateway=''
trap '[ -z "$gateway" ] || { kill $gateway 2>/dev/null && wait $gateway || true; }; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
others=$(nproc --all)
others=$([ "$others" -gt 1 ] && echo "1-$((others - 1))" || echo 0)

demo_start "$dir/demo"
demo_stop
set_clock

# Hundredths of a second of CPU since the start of the gateway.
cpu() { sed 's/.*) //' "/proc/$gateway/stat" | awk '{ print $12 + $13 }'; }

for round in $(seq "$rounds"); do
    for sealer in true false; do
        rm -rf "$dir/demo/store.db"* "$dir/demo/ancore"
        VARCO_TRACE__SIGILLI=$sealer VARCO_TRACE__SIGILLO_S=1 \
            taskset -c 0 "$varco" serve --config "$dir/demo/varco.toml" >"$dir/serve.log" 2>&1 &
        gateway=$!
        ready
        before=$(cpu)
        taskset -c "$others" "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --pid "$gateway" \
            --seconds "$seconds" --json "$dir/load.json" --connections 16 >"$dir/load.out" 2>&1 \
            || { cat "$dir/load.out"; exit 1; }
        # What is not sealed yet is paid for, too.
        sleep 2
        after=$(cpu)
        n=$(grep -oE '[0-9]+ answers' "$dir/load.out" | head -1 | cut -d' ' -f1)
        echo "round $round, sealer $sealer: $(grep -oE '[0-9.]+/s' "$dir/load.out" | head -1)," \
            "$(grep -oE 'p50.*' "$dir/load.out" | head -1) ms;" \
            "CPU $(awk -v t=$((after - before)) -v n="$n" 'BEGIN { printf "%.0f", t * 10000 / n }') us a message"
        kill -TERM "$gateway"
        wait "$gateway" || true
        gateway=''
        if [ "$sealer" = true ]; then
            "$varco" trace verify --config "$dir/demo/varco.toml" >"$dir/verify.out" 2>/dev/null \
                || { cat "$dir/verify.out"; exit 1; }
            if grep -q 'non ancora sigillate' "$dir/verify.out"; then
                cat "$dir/verify.out"
                exit 1
            fi
            echo "    $(head -1 "$dir/verify.out")"
        fi
    done
done
