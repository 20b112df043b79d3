#!/usr/bin/env bash
# How Varco stays fast as its store grows: one embedded store filled to 10,000, 100,000 and 1,000,000 domande, and at each
# size look-ups by number all over the register, pages of a hundred, new domande, and the time from start to first answer.
#
#     tests/drills/growth.sh [SIZES] [SECONDS] [VARCO] [LOAD] [FILL]
#
# The gateway has core 0 for itself, the client the others. Pages are asked on one kept-alive connection, following the
# cursors; their time is the answer's, without the handshake. Reported, not asserted. A million takes some 4 GB of disk.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
sizes=${1:-"10000 100000 1000000"}
seconds=${2:-10}
varco=$(realpath "${3:-target/release/varco}")
load=$(realpath "${4:-target/release/examples/load}")
fill=$(realpath "${5:-target/release/examples/fill}")
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
# The store of the demo gives way to the filled one, and with it the anchors of what was told.
rm -rf "$dir/demo/store.db"* "$dir/demo/ancore"*

# The pages of one question, each from the cursor of the one before: NAME ELEMENT CONTENT.
pages() {
    local cursor='' page times=()
    for page in $(seq 12); do
        printf '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:inps="http://inps.it/" xmlns:at="http://inps.it/AssegnoTemporaneo/v1" xmlns:coop="http://inps.it/cooperazione/v1"><env:Header><inps:Identity><UserId>u</UserId><CodiceUfficio>001</CodiceUfficio></inps:Identity></env:Header><env:Body><at:%s>%s%s</at:%s></env:Body></env:Envelope>' \
            "$2" "$3" "${cursor:+<coop:Cursore>$cursor</coop:Cursore>}" "$2" >"$dir/page.xml"
        # Twice on one connection; without its handshake.
        times+=("$(taskset -c "$others" curl -s "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/" "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/" \
            --cacert "$dir/demo/certs/ca.pem" --cert "$dir/demo/certs/pat01.pem" --key "$dir/demo/certs/pat01.key" \
            -H 'Content-Type: application/soap+xml; charset=UTF-8' --data-binary "@$dir/page.xml" \
            -o "$dir/page.first" -o "$dir/page.answer" -w '%{time_total} %{time_pretransfer} %{http_code}\n' |
            awk '{ printf "%s %.2f ", $3, ($1 - $2) * 1000 }')")
        cursor=$(grep -oE 'Cursore>[^<]+' "$dir/page.answer" | tail -1 | cut -d'>' -f2 || true)
        [ -n "$cursor" ] || break
    done
    printf '%s\n' "${times[@]}" >"$dir/times"
    [ "$(cut -d' ' -f1,3 "$dir/times" | sort -u)" = '200 200' ] || { head -c 600 "$dir/page.answer"; exit 1; }
    echo "$1: ${#times[@]} pages, the first of $(tr '>' '\n' <"$dir/page.first" | grep -cE '^ *<[a-z]+:(Domanda|Variazione)$') rows;" \
        "asked for the first time $(middle 2), at once again $(middle 4)"
}
# Median and largest of a column of the times.
middle() {
    cut -d' ' -f"$1" "$dir/times" | sort -n | awk '{ t[NR] = $1 } END { printf "median %.1f, at most %.1f ms", t[int((NR + 1) / 2)], t[NR] }'
}

filled=0
day=0
for size in $sizes; do
    # Filled on one day, served from its noon, and so on: a register's instants go forward.
    day=$((day + 1))
    "$fill" "sqlite:$dir/demo/store.db" $((size - filled)) --dal $((filled + 1)) --inizio "2021-07-0${day}T00:00:00Z" \
        --chiave-ricerca "$dir/demo/chiave-ricerca.key" >"$dir/fill.out" 2>"$dir/fill.err" || { cat "$dir/fill.err" >&2; exit 1; }
    filled=$size
    last=$(grep -oE 'INPS-AUF-2021-[0-9]{12}' "$dir/fill.out")
    echo "── $size domande, $(($(stat -c %s "$dir/demo/store.db") / 1000000)) MB, $(head -1 "$dir/fill.out")"
    began=$(date +%s%N)
    VARCO_OROLOGIO__INIZIO="2021-07-0${day}T12:00:00Z" on_core_0 "$varco" serve --config "$dir/demo/varco.toml" >"$dir/serve.log" 2>&1 &
    gateway=$!
    ready
    echo "start to first answer: $((($(date +%s%N) - began) / 1000000)) ms"
    calm
    drive "ConsultaDomanda, 16 connections" --connections 16 --consulta "$last"
    drive "ConsultaDomanda, 64 connections" --connections 64 --consulta "$last"
    pages "RicercaDomande, all" RicercaDomande ""
    pages "RicercaDomande, by state" RicercaDomande "<coop:Stato>PRESENTATA</coop:Stato>"
    pages "RicercaDomande, between two days" RicercaDomande "<coop:PresentataDal>2021-07-01</coop:PresentataDal><coop:PresentataAl>2021-07-02</coop:PresentataAl>"
    pages "ElencoVariazioni" ElencoVariazioni ""
    calm
    drive "domanda, 16 connections" --connections 16 --shared
    kill -TERM "$gateway" && wait "$gateway" || true
    gateway=''
done
