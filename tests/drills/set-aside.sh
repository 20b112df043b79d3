#!/usr/bin/env bash
# A copy taken under load, a thousand domande and more after it, kill -9, and the copy put back while the killed store still lies
# beside it: `varco register recover --da` brings back what the copy lacks, and every key that was ever acknowledged, sent
# again, gets the number that it was told. And before that one of everything that comes back: lot, decisions, annulment, emergency.
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
rm -f "$dir/demo/store.db"*
"$varco" migrate --config "$config" >/dev/null

recover() {
    "$varco" register recover --config "$config" --da "sqlite:$dir/aside/store.db" --motivo 'ripristino della copia' \
        --provvedimento 1/2021 --provvedimento-data 2021-07-01 --operatore prova "$@"
}

# What the gateway, the engine and the keeper of the register wrote, as rows.
rows() {
    local table
    for table in registrazioni ricevute payload atti allegati domande schede elenco variazioni lotti lotti_esiti decisioni pagamenti \
        rinnovi annullamenti assegnazioni vincoli emergenze proroghe emergenza_registrazioni buste; do
        echo "== $table"
        sqlite3 "file:$1?mode=ro" "SELECT * FROM $table" | sort
    done
}
put_aside() {
    mkdir "$dir/aside"
    mv "$dir/demo/store.db"* "$dir/aside/"
    cp "$1/store.db" "$dir/demo/store.db"
    [ ! -d "$1/store.db.lotti" ] || cp -r "$1/store.db.lotti" "$dir/demo/store.db.lotti"
}
register() { "$varco" register "$@" --config "$config" >>"$dir/register.out"; }
by_authority=(--provvedimento 1/2021 --provvedimento-data 2021-07-01 --operatore prova)

# First one of everything: a lot, decisions and payments of the engine, an annulment, an assignment, an emergency.
start
sample() { "$varco" sample --data 2021-07-15 -o "$dir/$1.xml" >/dev/null; }
sent() { "$varco" send --config "$config" "$dir/$1.xml" | grep -o 'INPS-AUF-2021-[0-9]*' | head -1; }
for one in old annulled assigned busta emergency; do sample $one; done
# One that the copy knows, and what people and the engine do about it afterwards.
old=$(sent old)
"$varco" backup "$dir/first" --config "$config" >/dev/null
"$varco" sample --lotto 5 --data 2021-07-15 -o "$dir/lot.xml" >/dev/null
"$varco" lot send --config "$config" "$dir/lot.xml" >/dev/null
register annul "$(sent annulled)" --motivo prova "${by_authority[@]}"
register assign "$(sent assigned)" --ufficio 'sede di Terni' --classifica 5.2.1 --operatore prova
register assign "$old" --ufficio 'sede di Narni' --operatore prova
"$varco" space hold 1 --motivo prova --operatore prova --config "$config" >/dev/null
sed -n '/<at:InviaDomanda/,/<.at:InviaDomanda>/p' "$dir/busta.xml" >"$dir/element.xml"
"$varco" send --config "$config" --pdd "$dir/element.xml" >/dev/null
register emergency open --causa prova "${by_authority[@]}"
register emergency extend --fino 2021-07-20T12:00:00+02:00 "${by_authority[@]}"
mkdir "$dir/emergency"
cp "$dir/emergency.xml" "$dir/emergency/0001.xml"
opened=$("$varco" register emergency list --config "$config" | grep -o '2021-07-1[0-9]T[0-9:.]*+02:00' | head -1)
operator=$(grep -o 'Operatore>[^<]*' "$dir/emergency.xml" | head -1 | cut -d'>' -f2)
printf '[[registrazione]]\nnumero = 1\nistante = "%s"\nente = "PAT01"\nufficio = "001"\noperatore = "%s"\nrichiesta = "0001.xml"\n' \
    "$opened" "$operator" >"$dir/emergency/list.toml"
register emergency import "$dir/emergency/list.toml"
register emergency close --operatore prova
"$varco" engine "sqlite:$dir/demo/store.db" --una-volta >/dev/null
demo_stop
rows "$dir/demo/store.db" >"$dir/told"
put_aside "$(echo "$dir"/first/*)"
recover >/dev/null
rows "$dir/demo/store.db" >"$dir/recovered"
diff "$dir/told" "$dir/recovered" >"$dir/diff" || { echo "not as it was:"; head -40 "$dir/diff"; exit 1; }
echo "of everything one: $(grep -c -v '^==' "$dir/recovered") rows of $(grep -c '^==' "$dir/recovered") tables, as they were"
"$varco" register verify --config "$config"
rm -r "$dir/aside"

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

put_aside "$(echo "$dir"/copies/*)"
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
