#!/usr/bin/env bash
# Lots under kill -9, in every form, beside each other, and hostile: what each of them must show.
#
#     tests/drills/lots.sh [ITEMS] [KILLS] [VARCO]
#
# A release build of `varco` is expected in target/release unless told. Only loopback is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
items=${1:-40000}
kills=${2:-20}
varco=$(realpath "${3:-target/release/varco}")
dir=$(mktemp -d)
port=${PORT:-18443}
gateway=''
trap 'kill -9 $gateway 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh

demo_start "$dir/demo"
demo_stop
set_clock
lot() { local what=$1; shift; "$varco" lot "$what" --config "$dir/demo/varco.toml" "$@"; }
id_in() { grep -oE '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}' "$1" | head -1; }
fresh() {
    [ -z "$gateway" ] || { kill -TERM "$gateway" 2>/dev/null && wait "$gateway" || true; }
    rm -rf "$dir/demo/store.db"*
    serve
}
serve() {
    "$varco" serve --config "$dir/demo/varco.toml" >>"$dir/serve.log" 2>&1 &
    gateway=$!
}

"$varco" sample --lotto "$items" --semplice --data 2021-07-15 -o "$dir/buono.xml"
# Every hundredth item has a codice that the XSD does not know.
awk '/<at:InviaDomanda/ { n++ } n % 100 == 50 && /<at:PresentataDa>/ { sub("GENITORE", "ZIO") } { print }' \
    "$dir/buono.xml" >"$dir/lotto.xml"
faulty=$(grep -c '>ZIO<' "$dir/lotto.xml")
echo "the lot: $items items, $faulty faulty, $(stat -c %s "$dir/lotto.xml") bytes"

# What an outcome must say: each faulty item at its own line, all others gapless.
check() {
    local csv=$1
    grep -n '>ZIO<' "$dir/lotto.xml" | cut -d: -f1 >"$dir/attese"
    grep ';RIFIUTATA;' "$csv" | grep -oE 'XSD-011 riga [0-9]+' | awk '{ print $3 }' >"$dir/dette"
    awk -v testa="${2:-0}" '{ print $1 + testa }' "$dir/attese" | cmp - "$dir/dette"
    grep ';REGISTRATA;' "$csv" | cut -d';' -f6 >"$dir/numeri"
    [ "$(wc -l <"$dir/numeri")" -eq $((items - faulty)) ]
    seq -f 'INPS-AUF-2021-%012.0f' 1 $((items - faulty)) | cmp - "$dir/numeri"
}
for forma in "" "--inline" "--gzip"; do
    fresh
    ready
    # shellcheck disable=SC2086
    lot send "$dir/lotto.xml" $forma --watch >"$dir/send.out" 2>"$dir/watch.out" || [ $? -eq 65 ]
    lot outcome "$(id_in "$dir/send.out")" --csv -o "$dir/esiti.csv" 2>/dev/null || [ $? -eq 65 ]
    check "$dir/esiti.csv"
    echo "sent ${forma:-by MTOM}: every faulty item at its line, $((items - faulty)) numbers without a gap;" \
        "peak $(awk '/VmHWM/ { print $2 }' "/proc/$gateway/status") KiB"
done

fresh
ready
lot send "$dir/lotto.xml" >"$dir/send.out"
id=$(id_in "$dir/send.out")
for round in $(seq "$kills"); do
    sleep "$(awk -v seed="$round" 'BEGIN { srand(seed * 7919); print 0.1 + rand() * 0.5 }')"
    kill -9 "$gateway"
    wait "$gateway" 2>/dev/null || true
    serve
done
ready
lot watch "$id" >/dev/null 2>&1 || [ $? -eq 65 ]
lot outcome "$id" --csv -o "$dir/esiti.csv" 2>/dev/null || [ $? -eq 65 ]
check "$dir/esiti.csv"
cut -d';' -f9 "$dir/esiti.csv" | grep -c true >"$dir/ripetute" || true
[ "$(cat "$dir/ripetute")" -eq 0 ]
echo "killed $kills times while it was worked: the outcome is as if nothing had happened"

fresh
ready
lot send "$dir/buono.xml" >"$dir/send.out"
"$varco" sample --lotto 10 --semplice --data 2021-07-15 --seme 900000 -o "$dir/dieci.xml"
sed -i 's/PAT01/PAT02/' "$dir/dieci.xml"
inizio=$(date +%s%N)
lot send "$dir/dieci.xml" --cert "$dir/demo/certs/pat02.pem" --watch >/dev/null 2>&1 || { lot queue --tutti; exit 1; }
durata=$((($(date +%s%N) - inizio) / 1000000))
aperti=$(lot queue | grep -c PAT01)
echo "ten items beside $items of another ente: done in $durata ms, while $aperti lot of the other was open"
[ "$aperti" -eq 1 ] && [ "$durata" -lt 10000 ]

# Hostile ones: refused, or ended where they break; nothing half registered, and the gateway stays small.
fresh
ready
# Whoever is refused half way stops reading: what still writes to him ends badly, and may.
set +o pipefail
invia() {
    curl -s -X POST --max-time "${TEMPO:-60}" "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1" -H 'Content-Type: application/soap+xml; charset=UTF-8' \
        --cacert "$dir/demo/certs/ca.pem" --cert "$dir/demo/certs/pat01.pem" --key "$dir/demo/certs/pat01.key" -T - || true
}
busta() {
    printf '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Header><inps:Identity xmlns:inps="http://inps.it/"><UserId>u</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header><env:Body><at:InviaLotto xmlns:at="http://inps.it/AssegnoTemporaneo/v1"><at:ChiaveInvio>%s</at:ChiaveInvio>' "$1"
    cat
    printf '</at:InviaLotto></env:Body></env:Envelope>'
}
refused() {
    grep -q "$1" "$dir/risposta" || { echo "expected $1:"; head -c 600 "$dir/risposta"; exit 1; }
    echo "$2: $1"
}
{ printf '<at:File>'; head -c 300000000 /dev/zero | gzip -9 | base64; printf '</at:File>'; } | busta bomba | invia >"$dir/risposta"
refused LOT-012 "a zip bomb of 300 MB"
{ printf '<at:Lotto>'; yes '<at:InviaDomanda/>' | head -1000000; printf '</at:Lotto>'; } | busta minuscoli | invia >"$dir/risposta"
refused LOT-008 "a million tiny items"
{ printf '<at:Lotto><at:InviaDomanda>'; yes '<at:Domanda>x</at:Domanda>' | head -c 50000000; printf '</at:InviaDomanda></at:Lotto>'; } | busta enorme | invia >"$dir/risposta"
refused LOT-009 "one item of 50 MB"
{ printf '<at:Lotto>'; sed '1,2d' "$dir/buono.xml"; } | busta tronco | head -c 20000000 | invia >"$dir/risposta"
refused ENV-0 "a body that is cut short"
{ printf '<at:Lotto>'; sed '1,2d' "$dir/buono.xml" | head -c 40000000; sleep 30; } | busta riagganciato | TEMPO=4 invia >"$dir/risposta"
[ -s "$dir/risposta" ] && { echo "an answer to somebody who hung up"; exit 1; }
echo "a client that hangs up: no answer"
sleep 1
[ "$(lot queue --tutti | grep -c PAT01 || true)" -eq 0 ]
[ "$(find "$dir/demo/store.db.lotti" -type f 2>/dev/null | wc -l)" -eq 0 ]
echo "nothing was kept of them; peak $(awk '/VmHWM/ { print $2 }' "/proc/$gateway/status") KiB"
kill -TERM "$gateway"
wait "$gateway" || true
"$varco" register verify --config "$dir/demo/varco.toml"
echo "drill: passed"
