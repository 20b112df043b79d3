#!/usr/bin/env bash
# PostgreSQL put back to an instant: a verified copy of the cluster (`varco backup --replica`), the log that it archives, a
# load in between and after. The cluster is laid down again as it was at the instant: all that was registered until then is
# there, a gateway on it gives no number (503, STO-004, readiness red), and after `varco register recover` none that was told
# is given again. The lines are those of docs/esercizio.md.
#
#     tests/drills/point-in-time.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server; it makes and throws away two clusters of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
port=${PORT:-18476}
health=$((port + 1))
export VARCO_SALUTE__INDIRIZZO=127.0.0.1:$health
. tests/drills/lib/postgres.sh
. tests/drills/lib/replica.sh

drive() { "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 8 "$@" >"$dir/load.out" 2>&1 9>&- ||
    { cat "$dir/load.out" >&2; exit 1; }; }

lay_down
owner=$(stat -c %u:%g "$dir/pg/data")
mkdir "$dir/wal"
chown "$owner" "$dir/wal"
primary_sql "ALTER SYSTEM SET archive_mode = on"
primary_sql "ALTER SYSTEM SET archive_command = 'test ! -f $dir/wal/%f && cp %p $dir/wal/%f'"
primary_sql "CREATE ROLE copia LOGIN REPLICATION"
cluster_stop
cluster_start
let_in

gateway_start "$port"
drive --seconds 4 --acked "$dir/before.tsv" &
sender=$!
sleep 1
# The copy is taken while domande come in.
"$varco" backup "$dir/copies" --config "$config" --replica "$(url_of varco | sed 's/user=varco/user=copia/')" 2>/dev/null
wait "$sender"
instant=$(primary_sql "SELECT clock_timestamp()")
drive --seconds 3 --acked "$dir/after.tsv"
primary_sql "SELECT pg_switch_wal()" >/dev/null
until [ "$(primary_sql "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver")" = t ]; do
    sleep 0.2
done
kill -9 "$gateway"
cluster_stop

# As docs/esercizio.md says it.
mkdir "$dir/replica"
cp -r "$dir"/copies/*/dati "$dir/replica/data"
cat >>"$dir/replica/data/postgresql.auto.conf" <<CONF
restore_command = 'cp $dir/wal/%f %p'
recovery_target_time = '$instant'
recovery_target_action = promote
archive_mode = off
CONF
touch "$dir/replica/data/recovery.signal"
chown -R "$owner" "$dir/replica"
chmod 700 "$dir/replica/data"
replica_up
until [ "$(replica_sql "SELECT pg_is_in_recovery()")" = f ]; do sleep 0.1; done
VARCO_STORE=$(url_of varco_gateway | sed "s|host=[^&]*|host=$dir/replica|")
"$varco" register list --config "$config" >"$dir/restored.tsv"
lost=$(cut -f1 "$dir/restored.tsv" | sort | comm -13 - <(grep -ohE 'INPS-AUF-[0-9]{4}-[0-9]{12}' "$dir/before.tsv" | sort) | wc -l)
echo "put back to $instant: $(wc -l <"$dir/restored.tsv") registrations; told until then and missing: $lost"
[ "$lost" -eq 0 ]

gateway_start "$port"
"$varco" sample -o "$dir/domanda.xml" >/dev/null
post "$dir/domanda.xml" "$port" >/dev/null
grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head" && grep -q 'STO-004' "$dir/answer"
until_ready "$health" 503 10 >/dev/null
grep -q 'STO-004' "$dir/ready"
VARCO_STORE=$(url_of varco | sed "s|host=[^&]*|host=$dir/replica|") "$varco" register recover --config "$config" \
    --motivo 'ripristino a un istante' --provvedimento 1/2021 --provvedimento-data 2021-07-01 --operatore prova
# The gateway that refused goes on by itself.
green=$(until_ready "$health" 200 10)
post "$dir/domanda.xml" "$port" >/dev/null
grep -q ' 200 ' "$dir/head" && grep -q 'Esito>REGISTRATA<' "$dir/answer"
echo "503, STO-004, readiness red; after register recover green within $green s, without a restart"
drive --seconds 3 --acked "$dir/anew.tsv"
"$varco" register verify --config "$config"
"$varco" register list --config "$config" >"$dir/register.tsv"
told=$(cat "$dir/before.tsv" "$dir/after.tsv" | grep -oE 'INPS-AUF-[0-9]{4}-[0-9]{12}' | sort -u)
given=$(cut -f1 "$dir/register.tsv" | sort | comm -23 - <(cut -f1 "$dir/restored.tsv" | sort))
again=$(comm -12 <(echo "$told") <(echo "$given") | wc -l)
echo "told before: $(wc -l <<<"$told"); given after: $(wc -l <<<"$given"); given again: $again"
[ "$again" -eq 0 ] && [ "$(wc -l <<<"$given")" -gt "$(wc -l <"$dir/anew.tsv")" ]
echo "drill: passed"
