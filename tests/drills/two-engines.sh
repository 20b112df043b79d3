#!/usr/bin/env bash
# Two engines and 64 patronato connections on one PostgreSQL for 60 seconds: 48 send domande, 16 give up the second child
# of what was just registered, both engines work and pay. Then the rows themselves are asked: no domanda claimed twice at
# one time, no update lost, no forbidden move, nothing paid twice, the feed whole and in order, no deadlock.
#
#     tests/drills/two-engines.sh [VARCO] [LOAD] [SECONDS]
#
# Needs the programs of a PostgreSQL server, psql and curl; it makes and throws away a cluster of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
seconds=${3:-60}
port=${PORT:-18450}
. tests/drills/lib/postgres.sh

# July for those who send, September for the engines: two months are due at once.
export VARCO_OROLOGIO__INIZIO=2021-07-15T10:00:00Z
lay_down
gateway_start "$port"
owner=$(url_of varco)
engines=()
for name in motore-1 motore-2; do
    "$varco" engine "$(url_of varco_motore)" --nome "$name" --adesso 2021-09-01T08:00:00Z --durata-presa 20 \
        >"$dir/$name.log" 2>&1 9>&- &
    engines+=("$!")
    pids+=("$!")
done

"$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 48 --seconds "$seconds" \
    --shared --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 &
sender=$!
pids+=("$sender")

# One RinunciaDomanda a key, sixteen at a time, until the sender ends.
rinuncia() {
    sed -e "s|>K-1<|>$1<|; s|>R-1<|>R-$1<|" tests/messages/rinuncia/request.xml >"$dir/rinunce/$1.xml"
    cat <<END
cacert = "$dir/demo/certs/ca.pem"
cert = "$dir/demo/certs/pat01.pem"
key = "$dir/demo/certs/pat01.key"
header = "Content-Type: application/soap+xml; charset=UTF-8"
data-binary = "@$dir/rinunce/$1.xml"
output = "$dir/rinunce/$1.answer"
write-out = "%{http_code}\n"
url = "https://127.0.0.1:$port/modi/soap/AssegnoTemporaneo/v1/"
END
}
mkdir "$dir/rinunce"
touch "$dir/acked.tsv" "$dir/rinunce.statuses"
seen=0
while kill -0 "$sender" 2>/dev/null; do
    total=$(wc -l <"$dir/acked.tsv")
    if [ "$total" -le "$seen" ]; then
        sleep 0.1
        continue
    fi
    # The newest ones: those which the engines have in hand, or are about to.
    first=1
    for key in $(tail -n +$((seen + 1)) "$dir/acked.tsv" | tail -160 | cut -f1); do
        [ "$first" -eq 1 ] || echo next
        first=0
        rinuncia "$key"
    done >"$dir/rinunce.curl"
    seen=$total
    curl --parallel --parallel-max 16 -sS -K "$dir/rinunce.curl" >>"$dir/rinunce.statuses" 2>>"$dir/rinunce.err" || true
done
wait "$sender" || { tail -20 "$dir/load.out" >&2; exit 1; }
head -1 "$dir/load.out"
echo "rinunce: $(sort "$dir/rinunce.statuses" | uniq -c | tr -s ' ' | tr '\n' ';')"
registered=$(grep -l 'REGISTRATA' "$dir"/rinunce/*.answer | wc -l)

for engine in "${engines[@]}"; do kill -TERM "$engine"; done
for engine in "${engines[@]}"; do wait "$engine"; done
tail -qn1 "$dir"/motore-?.log

ask() { psql --no-psqlrc -qAt "$owner" -c "$1"; }
failed=0
expect() {
    local found
    found=$(ask "$3")
    printf '%-72s %s\n' "$1" "$found"
    [ "$found" = "$2" ] || { echo "  expected $2" >&2; failed=1; }
}

ask "SELECT motore || ': ' || count(*) || ' decisions on ' || count(DISTINCT numero_domanda) || ' domande' FROM decisioni GROUP BY motore ORDER BY motore"
expect 'engines that decided' 2 'SELECT count(DISTINCT motore) FROM decisioni'
expect 'claims of one domanda that overlap' 0 "
    SELECT count(*) FROM (
        SELECT presa_il, lag(coalesce(lasciata_il, fino_a)) OVER (PARTITION BY numero_domanda ORDER BY id) AS fine_di_prima
        FROM prese) p
    WHERE presa_il < fine_di_prima"
expect 'decisions outside a claim of their own' 0 "
    SELECT count(*) FROM decisioni d
    WHERE NOT EXISTS (SELECT 1 FROM prese p
                      WHERE p.numero_domanda = d.numero_domanda AND p.gettone = d.gettone AND p.motore = d.motore
                        AND d.scritta_il BETWEEN p.presa_il AND coalesce(p.lasciata_il, p.fino_a))"
expect 'decisions that do not begin where the one before ended' 0 "
    SELECT count(*) FROM (
        SELECT da, lag(a, 1, 'PRESENTATA') OVER (PARTITION BY numero_domanda, posto ORDER BY id) AS prima
        FROM decisioni WHERE tipo = 'STATO') d
    WHERE da <> prima"
expect 'moves that are not the engine'"'"'s' 0 "
    SELECT count(*) FROM decisioni d
    WHERE tipo = 'STATO' AND da <> a
      AND NOT EXISTS (SELECT 1 FROM mosse m WHERE m.da = d.da AND m.a = d.a AND m.chi = 'MOTORE')"
expect 'sheets that stand elsewhere than they were left' 0 "
    SELECT count(*) FROM schede s
    LEFT JOIN LATERAL (SELECT a FROM decisioni d
                       WHERE d.numero_domanda = s.numero_domanda AND d.posto = s.posto AND d.tipo = 'STATO'
                       ORDER BY id DESC LIMIT 1) u ON true
    WHERE s.stato <> CASE WHEN s.posto = 2 AND EXISTS (SELECT 1 FROM atti a WHERE a.numero_domanda = s.numero_domanda)
                          THEN 'RINUNCIATA' ELSE coalesce(u.a, 'PRESENTATA') END"
expect 'acts that were told REGISTRATA' "$registered" 'SELECT count(*) FROM atti'
expect 'months paid twice' 0 "
    SELECT count(*) FROM (SELECT 1 FROM pagamenti WHERE tipo = 'PAGATO'
                          GROUP BY numero_domanda, posto, mese, beneficiario HAVING count(*) > 1) p"
expect 'payments were made' t 'SELECT count(*) > 0 FROM pagamenti'
expect 'rows of the feed missing' 0 'SELECT max(cursore) - count(*) FROM variazioni'
expect 'decisions without their row of the feed' 0 "
    SELECT (SELECT count(*) FROM decisioni) - count(*) FROM variazioni WHERE registrazione IS NULL"
expect 'sheets whose last row of the feed says another state' 0 "
    SELECT count(*) FROM schede s
    JOIN (SELECT DISTINCT ON (numero_domanda, posto) numero_domanda, posto, stato
          FROM variazioni
          WHERE posto IS NOT NULL AND stato IS NOT NULL
          ORDER BY numero_domanda, posto, cursore DESC) u USING (numero_domanda, posto)
    WHERE u.stato <> s.stato"
expect 'deadlocks' 0 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'
"$varco" register verify --config "$config"
[ "$failed" -eq 0 ]
echo "drill: passed"
