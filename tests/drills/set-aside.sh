#!/usr/bin/env bash
# A copy taken under load, a thousand domande and more after it, kill -9, and the copy put back while the killed store still lies
# beside it: `varco register recover --da` brings back what the copy lacks, and every key that was ever acknowledged, sent
# again, gets the number that it was told.
#
#     tests/drills/set-aside.sh [VARCO] [LOAD]
#
# The embedded store; only loopback is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=$(realpath "${2:-target/release/examples/load}")
dir=$(mktemp -d)
port=${PORT:-18454}
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
demo_start "$dir/demo"
demo_stop
set_clock
config=$dir/demo/varco.toml

recover() {
    "$varco" register recover --config "$config" --da "sqlite:$dir/aside/store.db" --motivo 'ripristino della copia' \
        --provvedimento 1/2021 --provvedimento-data 2021-07-01 --operatore prova "$@"
}

start
send --seconds 6 --acked "$dir/before.tsv" &
sender=$!
sleep 2
"$varco" backup "$dir/copies" --config "$config"
wait "$sender"
until [ "$(cat "$dir/after.tsv" 2>/dev/null | wc -l)" -ge 1000 ]; do send --seconds 3 --acked "$dir/after.tsv"; done
# Killed while more come in: those were not all told, and come back all the same.
send --retry --patience 1 --seconds 3 --acked "$dir/last.tsv" 2>/dev/null &
sender=$!
sleep 1
kill -9 "$gateway"
wait "$gateway" 2>/dev/null || true
wait "$sender" 2>/dev/null || true

mkdir "$dir/aside"
mv "$dir/demo/store.db"* "$dir/aside/"
copy=$(echo "$dir"/copies/*)
cp "$copy/store.db" "$dir/demo/store.db"
[ ! -d "$copy/store.db.lotti" ] || cp -r "$copy/store.db.lotti" "$dir/demo/store.db.lotti"
echo "in the copy: $("$varco" register list --config "$config" | wc -l) registrations"

recover --prova
began=$(date +%s%N)
recover
echo "recovered in $((($(date +%s%N) - began) / 1000000)) ms"
recover | grep -q 'nulla da riportare'
"$varco" register verify --config "$config"

start
for acked in before after last; do
    send --verify "$dir/$acked.tsv"
    echo "$acked: $(wc -l <"$dir/$acked.tsv") keys sent again, each told its number"
done
send --seconds 2 --shared
kill -TERM "$gateway"
wait "$gateway" || true
"$varco" register verify --config "$config"
echo "drill: passed"
