#!/usr/bin/env bash
# A copy taken under load, a thousand domande and more after it, then the copy put back: no number that was told is ever
# given again. The gateway on the copy refuses every new domanda (503, STO-004) and answers what it knows; after
# `varco register recover` it goes on behind the declared hole.
#
#     tests/drills/restore.sh [VARCO] [LOAD]
#
# The embedded store; only loopback is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=$(realpath "${2:-target/release/examples/load}")
dir=$(mktemp -d)
port=${PORT:-18452}
health=$((port + 1))
export VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
demo_start "$dir/demo"
demo_stop
set_clock
config=$dir/demo/varco.toml
certs=(--cacert "$dir/demo/certs/ca.pem" --cert "$dir/demo/certs/pat01.pem" --key "$dir/demo/certs/pat01.key")

# Readiness says so within ten seconds.
until_health() {
    for _ in $(seq 100); do
        curl -s "http://127.0.0.1:$health/health/ready" | grep -q "$1" && return
        sleep 0.1
    done
    echo "readiness does not say $1" >&2
    return 1
}
# A thousand domande, or some more.
thousand() { until [ "$(cat "$1" 2>/dev/null | wc -l)" -ge 1000 ]; do send --seconds 3 --acked "$1"; done; }
post() {
    curl -s "${certs[@]}" --max-time 30 -H 'Content-Type: application/soap+xml; charset=UTF-8' -D "$dir/head" \
        -o "$dir/answer" --data-binary @"$1" "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/"
}

start
# The copy is taken while domande come in.
send --seconds 6 --acked "$dir/before.tsv" &
sender=$!
sleep 2
"$varco" backup "$dir/copies" --config "$config"
wait "$sender"
# Nothing of these is in the copy.
thousand "$dir/after.tsv"
kill -9 "$gateway"
wait "$gateway" 2>/dev/null || true

copy=$(echo "$dir"/copies/*)
(cd "$copy" && sha256sum --quiet --check SHA256SUMS)
rm -rf "$dir/demo/store.db"*
cp "$copy/store.db" "$dir/demo/store.db"
[ ! -d "$copy/store.db.lotti" ] || cp -r "$copy/store.db.lotti" "$dir/demo/store.db.lotti"
"$varco" register list --config "$config" >"$dir/restored.tsv"
start
grep -q 'no number is drawn' "$dir/serve.log"
until_health 'STO-004'
"$varco" sample --data 2021-07-15 -o "$dir/domanda.xml" >/dev/null
post "$dir/domanda.xml"
grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head"
grep -q 'Value>[a-z]*:Receiver' "$dir/answer" && grep -q 'STO-004' "$dir/answer"
echo "on the copy ($(wc -l <"$dir/restored.tsv") registrations): 503, STO-004, Retry-After; readiness red"
kill "$gateway"
wait "$gateway" || true

"$varco" register recover --config "$config" --motivo 'ripristino della copia' --provvedimento 1/2021 \
    --provvedimento-data 2021-07-01 --operatore prova
start
until_health 'verde'
post "$dir/domanda.xml"
grep -q ' 200 ' "$dir/head" && grep -q 'Esito>REGISTRATA<' "$dir/answer"
thousand "$dir/anew.tsv"
kill "$gateway"
wait "$gateway" || true
"$varco" register verify --config "$config"
"$varco" register list --config "$config" >"$dir/register.tsv"

# Every number that was told before the copy was put back, against every number that was given after it.
told=$(cat "$dir/before.tsv" "$dir/after.tsv" | grep -oE 'INPS-AUF-[0-9]{4}-[0-9]{12}' | sort -u)
given=$(cut -f1 "$dir/register.tsv" | sort | comm -23 - <(cut -f1 "$dir/restored.tsv" | sort))
again=$(comm -12 <(echo "$told") <(echo "$given") | wc -l)
echo "told before: $(wc -l <<<"$told"); given after: $(wc -l <<<"$given"); given again: $again"
[ "$again" -eq 0 ] && [ "$(wc -l <<<"$given")" -ge 1000 ]
echo "drill: passed"
