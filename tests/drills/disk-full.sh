#!/usr/bin/env bash
# A disk that fills, under the embedded store and under load: new lots are refused first (LOT-016), then new domande (STO-005); who
# repeats what was registered and who looks something up is answered in every state, on a disk without one free byte too;
# nothing acknowledged is missing; and it passes by itself once there is room. Needs the right to mount a small tmpfs of its own.
#
#     tests/drills/disk-full.sh [VARCO] [LOAD]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=${1:-target/release/varco}
load=${2:-target/release/examples/load}
dir=$(mktemp -d)
port=${PORT:-18444}
health=$((port + 1))
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway 2>/dev/null || true; umount "$dir/disk" 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
# shellcheck source=tests/drills/lib/health.sh
. tests/drills/lib/health.sh
mkdir "$dir/disk"
if ! mount -t tmpfs -o size=200M tmpfs "$dir/disk" 2>/dev/null; then
    echo "disk full: SKIPPED, no small file system can be mounted here" >&2
    exit 0
fi
demo=$dir/disk/demo
demo_start "$demo"
demo_stop

# Of 200 MiB a tenth is scarce and a twentieth is too little; it is looked at five times a second.
VARCO_LISTENER__INDIRIZZO=127.0.0.1:$port VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health \
    VARCO_SPAZIO__INTERVALLO_S=0.2 VARCO_SPAZIO__RIPROVA_S=2 \
    "$varco" serve --config "$demo/varco.toml" >"$dir/serve.log" 2>&1 &
gateway=$!
until_ready "$health" 200 30 >/dev/null || { cat "$dir/serve.log" >&2; exit 1; }

certs=(--cacert "$demo/certs/ca.pem" --cert "$demo/certs/pat01.pem" --key "$demo/certs/pat01.key")
post() {
    curl -s "${certs[@]}" --max-time 30 -H 'Content-Type: application/soap+xml; charset=UTF-8' -D "$dir/head" -o "$dir/answer" \
        --data-binary @"$1" "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/"
}
fail() { echo "$*" >&2; cat "$dir/head" "$dir/answer" >&2; tail -20 "$dir/serve.log" >&2; exit 1; }
taken() { post "$2"; grep -q ' 200 ' "$dir/head" && grep -q "$3" "$dir/answer" || fail "$1: not taken"; echo "$1: 200"; }
refused() {
    post "$2"
    grep -q ' 503 ' "$dir/head" && grep -q "$3" "$dir/answer" && grep -qi '^retry-after: 2' "$dir/head" &&
        grep -q 'Value>[a-z]*:Receiver' "$dir/answer" || fail "$1: not refused"
    echo "$1: 503 $3, Retry-After 2"
}
free_kib() { df --output=avail -k "$dir/disk" | tail -1 | tr -d ' '; }
# A file that is nobody's takes all but so many MiB; 0 = to the last byte.
fill_to() {
    local kib=$(($(free_kib) - $1 * 1024))
    dd if=/dev/zero of="$dir/disk/foreign" bs=64k count=$((kib / 64 + ($1 == 0))) oflag=append conv=notrunc 2>/dev/null || true
    [ "$1" -gt 0 ] || dd if=/dev/zero of="$dir/disk/foreign" bs=512 oflag=append conv=notrunc 2>/dev/null || true
}
until_state() {
    for _ in $(seq 100); do
        curl -s "http://127.0.0.1:$health/metrics" | grep -q "^varco_space_state{stato=\"$1\"} 1" && { echo "state: $1, $(free_kib) KiB free"; return; }
        sleep 0.1
    done
    fail "the state is not $1 after 10 s"
}
# Readiness, with this in its words.
ready_says() {
    until_ready "$health" "$1" 10 >/dev/null
    grep -q "$2" "$dir/ready" || fail "readiness does not say $2: $(cat "$dir/ready")"
    echo "readiness: $1 $(cat "$dir/ready")"
}
new_domanda() { "$varco" sample -o "$dir/$1.xml" >/dev/null; }

for which in first second third fourth; do new_domanda $which; done
"$varco" sample InviaLotto -o "$dir/lot.xml" >/dev/null
"$varco" sample InviaLotto -o "$dir/other-lot.xml" >/dev/null
key=$(grep -o 'ChiaveInvio>[^<]*' "$dir/first.xml" | head -1 | cut -d'>' -f2)
sed "s/>K-1</>$key</" tests/messages/consulta-by-chiave/request.xml >"$dir/look.xml"

taken "a domanda" "$dir/first.xml" REGISTRATA
number=$(grep -o 'Protocollo>[^<]*' "$dir/answer" | head -1)
taken "a lot" "$dir/lot.xml" IdLotto
lot=$(grep -o 'IdLotto>[^<]*' "$dir/answer" | head -1)

fill_to 15
until_state stretto
refused "another lot" "$dir/other-lot.xml" LOT-016
taken "the same lot" "$dir/lot.xml" "$lot"
taken "a new domanda" "$dir/second.xml" REGISTRATA

"$load" --url "https://127.0.0.1:$port" --certs "$demo/certs" --connections 4 --retry --shared --patience 120 --seconds 15 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 &
sender=$!
fill_to 8
until_state critico
refused "another lot" "$dir/other-lot.xml" LOT-016
refused "a new domanda" "$dir/third.xml" STO-005
taken "the first domanda again" "$dir/first.xml" "$number"
grep -q 'Ripetizione>true' "$dir/answer" || fail "it is no repetition"
taken "the same lot" "$dir/lot.xml" "$lot"
taken "a look at it" "$dir/look.xml" "$number"
ready_says 200 STO-005

fill_to 0
echo "not one byte is left: $(free_kib) KiB free"
for _ in $(seq 300); do
    post "$dir/first.xml"
    grep -q ' 200 ' "$dir/head" && grep -q "$number" "$dir/answer" || fail "a retry was not answered"
    post "$dir/look.xml"
    grep -q ' 200 ' "$dir/head" || fail "a look-up was not answered"
done
echo "300 retries and 300 look-ups: all answered"
refused "a new domanda" "$dir/third.xml" STO-005
ready_says 503 STO-002

rm "$dir/disk/foreign"
until_state normale
ready_says 200 verde
taken "the refused domanda" "$dir/third.xml" REGISTRATA
taken "the refused lot" "$dir/other-lot.xml" IdLotto
wait $sender || { cat "$dir/load.out" >&2; exit 1; }
tail -3 "$dir/load.out"
echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$port" --certs "$demo/certs" --connections 4 --verify "$dir/acked.tsv"
kill -INT $gateway
wait $gateway || true
grep 'varco::spazio' "$dir/serve.log"
"$varco" register verify --config "$demo/varco.toml"
"$varco" space --config "$demo/varco.toml"
echo "drill: passed"
