#!/usr/bin/env bash
# How long a first page of the message trace takes, criterion by criterion, on an embedded store and on PostgreSQL; and what a
# trace takes on disk, with and without what is there only for the search.
#
#     tests/drills/trace-search.sh [TRACES] [FILL] [VARCO]
#
# FILL is the example of a release build: cargo build --release --bin varco --example fill. Ten million traces take some
# 10 GB a store; one store is there at a time. Reported, not asserted; only a socket of our own is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
traces=${1:-10000000}
fill=$(realpath "${2:-target/release/examples/fill}")
varco=$(realpath "${3:-target/release/varco}")
# shellcheck source=tests/drills/lib/postgres.sh
. tests/drills/lib/postgres.sh

echo "── SQLite, $traces traces"
"$fill" "sqlite:$dir/store.db" 1000 --tracce "$traces" --misura
sqlite3 "$dir/store.db" "
    SELECT name, sum(pgsize) / $traces || ' bytes a trace' FROM dbstat
    WHERE name LIKE 'tracce%' OR name LIKE 'sqlite_autoindex_tracce%' GROUP BY name ORDER BY sum(pgsize) DESC" ||
    ls -l "$dir/store.db"
rm -f "$dir/store.db"*

echo "── PostgreSQL, $traces traces"
cluster_start
url=$(grep -o 'postgres://[^ ]*' "$dir/pg.out" | head -1)
"$fill" "$url" 1000 --tracce "$traces" --misura
psql -At "$url" -c "
    SELECT regexp_replace(relname, '_[0-9]{4}', ''), sum(pg_total_relation_size(oid)) / $traces || ' bytes a trace, of which keys '
           || sum(pg_indexes_size(oid)) / $traces
    FROM pg_class WHERE relkind = 'r' AND relname LIKE 'tracce%' GROUP BY 1 ORDER BY 1"
