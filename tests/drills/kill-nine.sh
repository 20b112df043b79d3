#!/usr/bin/env bash
# kill -9 under load, N times: no acknowledged number lost or doubled, no gap, every retry gets its number.
#
#     tests/drills/kill-nine.sh [ROUNDS] [VARCO] [LOAD]
#
# Release builds of `varco` and of the example `load` are expected in target/release unless told. Only loopback is used;
# the load ends by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-50}
varco=${2:-target/release/varco}
load=${3:-target/release/examples/load}
dir=$(mktemp -d)
port=${PORT:-18443}
gateway='' sender=''
trap 'kill -9 $gateway $sender 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh

# The demo lays the folder down; what is drilled is `serve` on it.
demo_start "$dir/demo"
demo_stop

serve() {
    "$varco" serve --config "$dir/demo/varco.toml" >>"$dir/serve.log" 2>&1 &
    gateway=$!
}

serve
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --retry --seconds $((rounds + 15)) \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 &
sender=$!
for round in $(seq "$rounds"); do
    # From 0.2 to 1.1 seconds under load, so that the kill falls anywhere in a batch.
    sleep "$(awk -v seed="$round" 'BEGIN { srand(seed * 7919); print 0.2 + rand() * 0.9 }')"
    kill -0 "$sender" || { echo "the load ended before round $round" >&2; cat "$dir/load.out" >&2; exit 1; }
    kill -9 "$gateway"
    wait "$gateway" 2>/dev/null || true
    serve
done
echo "killed $rounds times; the load goes on to its end"
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"

echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
kill -TERM "$gateway"
wait "$gateway" || true
"$varco" register verify --config "$dir/demo/varco.toml"
"$varco" register list --config "$dir/demo/varco.toml" >"$dir/register.tsv"
acked=$(wc -l <"$dir/acked.tsv")
# The demo registered one domanda of its own.
registered=$(($(wc -l <"$dir/register.tsv") - 1))
doubled=$(cut -f1 "$dir/register.tsv" | sort | uniq -d | wc -l)
keys_doubled=$(cut -f2,3 "$dir/register.tsv" | sort | uniq -d | wc -l)
echo "acknowledged $acked, registered $registered, numbers doubled $doubled, keys doubled $keys_doubled"
[ "$acked" -eq "$registered" ] && [ "$doubled" -eq 0 ] && [ "$keys_doubled" -eq 0 ]
echo "drill: passed"
