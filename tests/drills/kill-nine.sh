#!/usr/bin/env bash
# kill -9 under load, N times: no acknowledged number lost or doubled, no gap, every retry gets its number.
#
#     tests/drills/kill-nine.sh [ROUNDS] [VARCO] [LOAD] [SYNC_MS]
#
# Release builds of `varco` and of the example `load` are expected in target/release unless told. Only loopback is used;
# the load ends by itself. With SYNC_MS every fsync and fdatasync of the gateway is held up so long (by strace): no receipt may come
# before its sync, and each kill falls into one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-50}
varco=${2:-target/release/varco}
load=${3:-target/release/examples/load}
sync_ms=${4:-0}
dir=$(mktemp -d)
port=${PORT:-18443}
gateway='' sender='' started=''
trap 'kill -9 $gateway $sender 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
if [ "$sync_ms" -gt 0 ] && ! strace -qq -o /dev/null true; then
    echo "kill -9 in slow syncs: SKIPPED, strace is not installed or may not trace here" >&2
    exit 0
fi

# The demo lays the folder down; what is drilled is `serve` on it.
demo_start "$dir/demo"
demo_stop

serve() {
    slowly=() least=0.2
    if [ "$sync_ms" -gt 0 ]; then
        # Some syncs pass before the first message is read.
        least=2
        slowly=(strace -f -qq -o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_enter=$((sync_ms * 1000)))
    fi
    "${slowly[@]}" "$varco" serve --config "$dir/demo/varco.toml" >>"$dir/serve.log" 2>&1 &
    started=$! gateway=$!
    # By its name: strace, at its start, forks children of its own to try what the kernel lets it do.
    [ "$sync_ms" -eq 0 ] || until gateway=$(pgrep -P "$started" -x "$(basename "$varco")"); do sleep 0.01; kill -0 "$started"; done
}

serve
: >"$dir/first.tsv"
if [ "$sync_ms" -gt 0 ]; then
    ready
    send --seconds 5 --acked "$dir/first.tsv" --json "$dir/load.json"
    fastest=$(grep -oE '"min_us": [0-9]+' "$dir/load.json" | cut -d' ' -f2)
    echo "a sync takes $((sync_ms * 1000)) us, the fastest receipt of $(wc -l <"$dir/first.tsv") took $fastest"
    [ "$fastest" -ge $((sync_ms * 1000)) ]
fi
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --retry --seconds $((rounds * (sync_ms > 0 ? 4 : 1) + 15)) \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 &
sender=$!
for round in $(seq "$rounds"); do
    # Within 0.9 seconds under load, so that the kill falls anywhere in a batch.
    sleep "$(awk -v seed="$round" -v least="$least" 'BEGIN { srand(seed * 7919); print least + rand() * 0.9 }')"
    kill -0 "$sender" || { echo "the load ended before round $round" >&2; cat "$dir/load.out" >&2; exit 1; }
    kill -9 "$gateway"
    wait "$started" 2>/dev/null || true
    serve
done
echo "killed $rounds times; the load goes on to its end"
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"

echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
kill -TERM "$gateway"
wait "$started" || true
"$varco" register verify --config "$dir/demo/varco.toml"
"$varco" register list --config "$dir/demo/varco.toml" >"$dir/register.tsv"
acked=$(cat "$dir/first.tsv" "$dir/acked.tsv" | wc -l)
# The demo registered one domanda of its own.
registered=$(($(wc -l <"$dir/register.tsv") - 1))
doubled=$(cut -f1 "$dir/register.tsv" | sort | uniq -d | wc -l)
keys_doubled=$(cut -f2,3 "$dir/register.tsv" | sort | uniq -d | wc -l)
echo "acknowledged $acked, registered $registered, numbers doubled $doubled, keys doubled $keys_doubled"
[ "$acked" -eq "$registered" ] && [ "$doubled" -eq 0 ] && [ "$keys_doubled" -eq 0 ]
echo "drill: passed"
