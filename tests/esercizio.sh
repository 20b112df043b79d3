#!/usr/bin/env bash
# Runs what docs/esercizio.md tells to type: every `varco` command of it, with its options, on a store of this machine, or in one
# of the drills. Then holds the text against what was run: a command that nobody ran is named, and fails.
#
#     tests/esercizio.sh [VARCO]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
varco=$(realpath "${1:-target/release/varco}")
radice=$PWD
dir=$(mktemp -d)
port=${PORT:-18543}
gateway=''
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
cluster=''
nuovo=''
trap 'kill $gateway 2>/dev/null && wait $gateway 2>/dev/null || true; [ -z "$cluster" ] || { kill $cluster; wait $cluster || true; }; [ -z "$nuovo" ] || server pg_ctl -D "$dir/nuovo/data" -s -m immediate stop; rm -rf "$dir"' EXIT
# As root a PostgreSQL server is another user, which must be able to come to its folder.
chmod 755 "$dir"
corse=$dir/corse
here() { printf 'varco %s\n' "$*" >>"$corse"; "$varco" "$@" <"${ingresso:-/dev/null}" >"$dir/out" 2>"$dir/err" || return $?; }
# What must end well; what is refused, with its exit code and a word of the cause.
ok() { here "$@" || { echo "varco $*: exit $?" >&2; cat "$dir/out" "$dir/err" >&2; exit 1; }; }
no() {
    local atteso=$1 parola=$2 codice=0
    shift 2
    here "$@" || codice=$?
    [ "$codice" = "$atteso" ] && cat "$dir/out" "$dir/err" | grep -q -- "$parola" ||
        { echo "varco $*: exit $codice, not $atteso with «$parola»" >&2; cat "$dir/out" "$dir/err" >&2; exit 1; }
}
says() { cat "$dir/out" "$dir/err" | grep -q -- "$1" || { echo "does not say «$1»:" >&2; cat "$dir/out" "$dir/err" >&2; exit 1; }; }

# What the text tells to type, as it stands there.
told() {
    awk -v begins="    $1" -v ends="${2:-;}\$" '{ sub(/ +-- .*/, "") } index($0, begins) == 1 { on = 1 } on { print substr($0, 5) } $0 ~ ends { on = 0 }' \
        docs/esercizio.md
}

demo_start "$dir/demo"
demo_stop
demo=$dir/demo
config=(--config "$demo/varco.toml")
# The store begins ten seconds before midnight in Rome: after that a day can be closed.
sed -i 's/^inizio = ""/inizio = "2021-07-15T21:59:50Z"/; s/^sigillo_s = .*/sigillo_s = 1/' "$demo/varco.toml"
sed -i 's/^\[registro\]/&\ncodice_amministrazione = "inps"\ncodice_aoo = "AOO-INPS"\nclassifica = "5.2.1"/' "$demo/varco.toml"
rm -f "$demo"/store.db*
rm -rf "$demo/ancore"
ok trace key -o "$dir/registro.pem"
ok migrate "${config[@]}"
ok check "${config[@]}"
export VARCO_PORTA_DI_PROVA__INDIRIZZO=127.0.0.1:$((port + 2))
start
printf 'varco serve --config\n' >>"$corse"
# The trial door tells why, and the log tells of the visit.
curl -s --cacert "$demo/certs/ca.pem" --cert "$demo/certs/revoked.pem" --key "$demo/certs/revoked.key" "https://127.0.0.1:$((port + 2))/" | grep -q 'RIFIUTATO TLS-005'
grep 'trial door' "$dir/serve.log" | sed 's/\x1b\[[0-9;]*m//g' | grep -q 'codice="TLS-005"'
echo "the trial door: told why, and logged"

"$varco" sample --data 2021-07-15 -o "$dir/prima.xml" >/dev/null
"$varco" sample --data 2021-07-15 --senza-busta -o "$dir/seconda.xml" >/dev/null
ok send "${config[@]}" "$dir/prima.xml"
numero=$(grep -o 'INPS-AUF-2021-[0-9]*' "$dir/out" | head -1)
chiave=$(grep -o 'ChiaveInvio>[^<]*' "$dir/prima.xml" | head -1 | cut -d'>' -f2)
domanda=$((10#${numero##*-}))
ok send --pdd "${config[@]}" "$dir/seconda.xml"
sed 's/<\(\([a-z]*:\)\?ChiaveInvio\)>[^<]*/<\1>K-rifiutata/; s/<\(\([a-z]*:\)\?IBAN\)>[^<]*/<\1>IT00/' "$dir/prima.xml" >"$dir/errata.xml"
no 65 - send "${config[@]}" "$dir/errata.xml"
"$varco" sample --lotto 3 --data 2021-07-15 -o "$dir/lotto.xml" >/dev/null
ok lot send "${config[@]}" "$dir/lotto.xml"

# «Dov'è la mia domanda?»: what was sent is written within a second or two.
for _ in $(seq 50); do here trace "${config[@]}" --protocollo "$numero" && grep -q "$numero" "$dir/out" && break; sleep 0.1; done
says "$numero"
ok trace "${config[@]}" --chiave "$chiave"
says "$numero"
ok trace "${config[@]}" --ente PAT01 --esito FAULT --dal 2021-07-15
ok trace "${config[@]}" --json --dal 2021-07-15
messaggio=$(grep -o '[0-9a-f]\{8\}-[0-9a-f-]\{27\}' "$dir/out" | head -1)
ok trace "${config[@]}" show "$messaggio"
ok trace "${config[@]}" --porta
ok trace egov "${config[@]}" --parte PatronatoUno --dal 2021-07-15 -o "$dir/tracce.xml"
xmllint --noout "$dir/tracce.xml"
busta=$(grep -o '[A-Za-z]*_[A-Za-z]*_[0-9]\{7\}_[0-9-]*_[0-9:]*' "$dir/tracce.xml" | head -1)
ok trace egov "${config[@]}" --id "$busta"
ok trace egov "${config[@]}" --riferimento "$busta"
ok lot queue "${config[@]}"
ok lot queue "${config[@]}" --tutti
says COMPLETO
echo "the trace: found by protocol, key, ente, message and busta"

ok register list "${config[@]}"
says "$numero"
ok register show "$numero" "${config[@]}"
ok register show "$numero" --pdf "$dir/ricevuta.pdf" "${config[@]}"
ok register segnatura "$numero" "${config[@]}"
ok register assign "$numero" --ufficio "sede di Terni" --classifica 5.2.1 --operatore m.verdi "${config[@]}"
autorita=(--provvedimento 12/2021 --provvedimento-data 2021-07-02 --operatore m.verdi)
ok backup "$dir/copie" "${config[@]}"

# Until the day is over.
for _ in $(seq 300); do
    here register daily 2021-07-15 --out "$dir/registro-2021-07-15.xml" --firma "$dir/registro.pem" "${config[@]}" && break
    sleep 0.1
done
(cd "$dir" && sha256sum -c --quiet registro-2021-07-15.xml.sha256)
verifica() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$2.sig" >/dev/null; }
verifica "$dir/registro.pem.pub" "$dir/registro-2021-07-15.xml"
ok register annul "$numero" --motivo "inviata per errore" "${autorita[@]}" "${config[@]}"
ok register verify "${config[@]}"
says ' 0 anomalie'

# A day of the chain is one of the true clock: what is done with a closed one is run by tests/registro/prova.rs.
cat >>"$corse" <<FINE
varco trace export --giorno 2021-07-01 -o catena.txt
varco trace verify catena.txt --ancora prova-2021-07-01.json --chiave firma.pem.pub
varco register proof --verify prova.json --ancora prova-2021-07-01.json --chiave firma.pem.pub --ricevuta ricevuta.xml
FINE
no 75 'sarà chiuso' register proof "$numero" -o "$dir/prova.json" "${config[@]}"
ok trace verify "${config[@]}"
echo "the register: shown, assigned, annulled, its day closed, signed and verified"

ok register emergency open --causa "guasto alla sala dati" "${autorita[@]}" "${config[@]}"
"$varco" sample --data 2021-07-15 -o "$dir/terza.xml" >/dev/null
no 75 PRO-001 send "${config[@]}" "$dir/terza.xml"
ok register emergency list "${config[@]}"
operatore=$(grep -o "Operatore>[^<]*" "$dir/terza.xml" | head -1 | cut -d">" -f2)
aperta=$(grep -o '2021-07-1[0-9]T[0-9:.]*+02:00' "$dir/out" | head -1)
ok register emergency extend --fino 2021-07-20T12:00:00+02:00 "${autorita[@]}" "${config[@]}"
mkdir "$dir/emergenza"
cp "$dir/terza.xml" "$dir/emergenza/0001.xml"
cat >"$dir/emergenza/elenco.toml" <<FINE
[[registrazione]]
numero    = 1
istante   = "$aperta"
ente      = "PAT01"
ufficio   = "001"
operatore = "$operatore"
richiesta = "0001.xml"
FINE
ok register emergency import "$dir/emergenza/elenco.toml" --solo-verifica "${config[@]}"
ok register emergency import "$dir/emergenza/elenco.toml" "${config[@]}"
ok register emergency close --operatore m.verdi "${config[@]}"
echo "the emergency register: opened, extended, its list imported, closed"

(cd "$dir" && ok diagnose "${config[@]}")
ok maintenance on --messaggio "aggiornamento del database" --fino-a 2099-07-15T22:00:00+02:00 --operatore m.verdi "${config[@]}"
ok maintenance status "${config[@]}"
ok maintenance off --operatore m.verdi "${config[@]}"
ok space "${config[@]}"
ok space purge --prova "${config[@]}"
ok space hold "$domanda" --motivo "causa R.G. 12/2021" --operatore m.verdi "${config[@]}"
ok space release "$domanda" --motivo "sentenza passata in giudicato" --operatore m.verdi "${config[@]}"
ok space holds "${config[@]}"
ok space log "${config[@]}"
ok operator add anna.bianchi --ruolo indagatore --genera "${config[@]}"
grep -o 'CodiceFiscale>[^<]*' "$dir/prima.xml" | head -1 | cut -d'>' -f2 >"$dir/chi"
ingresso=$dir/chi ok interessato - --motivo "istanza prot. 123/2026" --operatore anna.bianchi -o "$dir/accesso.zip" "${config[@]}"
ok engine "sqlite:$demo/store.db" --una-volta
demo_stop

# A copy of before is put back: first only what the anchors say; then what the store that was set aside knows.
mkdir "$dir/messo-da-parte"
mv "$demo"/store.db* "$dir/messo-da-parte/"
copia=$(find "$dir/copie" -name store.db)
motivo=(--motivo "ripristino della copia delle 02:00" "${autorita[@]}" "${config[@]}")
cp "$copia" "$demo/store.db"
ok register recover --da "sqlite:$dir/messo-da-parte/store.db" --prova "${motivo[@]}"
says tornerebbe
ok register recover --da "sqlite:$dir/messo-da-parte/store.db" "${motivo[@]}"
ok register verify "${config[@]}"
says 'recupero 1'
rm -f "$demo"/store.db*
cp "$copia" "$demo/store.db"
ok register recover --giornaliero "$dir/registro-2021-07-15.xml" "${motivo[@]}"
says 'lacuna 1'
ok register verify "${config[@]}"
echo "a copy put back: recovered from the store that was set aside, and declared a hole"

"$varco" dev postgres --dir "$dir/pg" >"$dir/pg.out" 2>&1 </dev/null &
cluster=$!
until grep -qs '^cartella' "$dir/pg.out"; do sleep 0.1; kill -0 $cluster || { cat "$dir/pg.out"; exit 1; }; done
ok store copy "sqlite:$demo/store.db" "$(awk '$1 == "varco" && $2 ~ /^postgres:/ { print $2 }' "$dir/pg.out")"
ok engine "$(awk '$1 == "varco_motore" && $2 ~ /^postgres:/ { print $2 }' "$dir/pg.out")" --nome motore-1 --una-volta
echo "the store: copied to PostgreSQL, where the engine works it"

# The store that was moved refuses to register; where the move was given up the mark is taken away by hand, as the text says.
no 64 'it was moved to' serve "${config[@]}"
eval "$(told 'sqlite3 ' '"' | sed "s#/var/lib/varco/store.db#$demo/store.db#")"
start
demo_stop
echo "the mark of the move: taken away, the gateway starts"

# A server as the text prepares it, from the programs of the package alone: roles and database by its administrator, the schema
# by the owner, the gateway and the engine each as themselves.
# shellcheck source=tests/drills/lib/replica.sh
. tests/drills/lib/replica.sh
mkdir "$dir/nuovo"
if [ "$(id -u)" -eq 0 ]; then chown "$(stat -c %u:%g "$dir/pg/data")" "$dir/nuovo"; fi
server initdb -D "$dir/nuovo/data" -U postgres -A trust >/dev/null
server pg_ctl -D "$dir/nuovo/data" -s -w -l "$dir/nuovo/log" -o "-k $dir/nuovo -p 5432 -c listen_addresses=''" start
nuovo=1
amministra() { server psql -X -q -v ON_ERROR_STOP=1 -h "$dir/nuovo" -U postgres "$@" >"$dir/out" 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }; }
typed() { while read -r line; do amministra -d "${1:-postgres}" -c "$line"; done; }
told 'CREATE ROLE varco' | sed "s/…/prova/" | typed
told 'GRANT varco_gateway TO varco_registro' | typed
told 'CREATE DATABASE varco' | typed
of() { echo "postgres://$1@localhost/varco?host=$dir/nuovo"; }
VARCO_STORE=$(of varco_owner) ok migrate "${config[@]}"
VARCO_STORE=$(of varco_gateway) ok check "${config[@]}"
says varco_gateway
amministra -d varco -c 'CREATE ROLE varco01 LOGIN' -c 'GRANT varco_gateway TO varco01'
export VARCO_STORE
VARCO_STORE=$(of varco01)
start
ok send "${config[@]}" "$dir/prima.xml"
demo_stop
unset VARCO_STORE
ok engine "$(of varco_motore)" --nome motore-1 --una-volta
told 'SELECT ' | grep motore_ | typed varco
amministra -d varco -c "$(grep -o 'SELECT varco_prepara_anno([0-9]*)' docs/esercizio.md)"
amministra -d varco -c 'ALTER SCHEMA public OWNER TO varco_owner'
told 'CREATE ROLE copia' | sed "s/…/prova/" | typed
told 'ALTER SYSTEM ' | typed
told 'SELECT pg_reload_conf' | typed
amministra -c 'ALTER SYSTEM RESET archive_mode'
# Another one, for a store that is moved into it.
server createdb -h "$dir/nuovo" -U postgres -E UTF8 -O varco_owner altro
ok store copy "sqlite:$demo/store.db" "$(of varco_owner | sed 's#/varco?#/altro?#')"
amministra -d altro -c 'GRANT varco_gateway TO varco01'
VARCO_STORE=$(of varco01 | sed 's#/varco?#/altro?#') ok check "${config[@]}"
server pg_ctl -D "$dir/nuovo/data" -s -m fast stop
nuovo=''
echo "a new server: prepared as the text says, migrated, served, moved into"

# What the text tells to type, and the drills type, as a command and its options.
forms() { python3 "$radice/tests/esercizio.py" "$@"; }
forms docs/esercizio.md "$corse" tests/drills/*.sh tests/drills/lib/*.sh
