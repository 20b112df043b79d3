#!/usr/bin/env bash
# Two gateways on one PostgreSQL: 200 copies of one message at once through both get one number, and one of them alone
# says that it is no repetition; 10,000 different ones leave no gap and nothing doubled.
#
#     tests/drills/two-gateways.sh [VARCO] [LOAD] [HOW MANY]
#
# Needs the programs of a PostgreSQL server; it makes and throws away a cluster of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
many=${3:-10000}
port=${PORT:-18446}
other=$((port + 1))
. tests/drills/lib/postgres.sh

lay_down
gateway_start "$port"
gateway_start "$other"

"$varco" sample -o "$dir/domanda.xml" >/dev/null
mkdir "$dir/answers"
for n in $(seq 200); do
    [ "$n" -eq 1 ] || echo next
    cat <<END
cacert = "$dir/demo/certs/ca.pem"
cert = "$dir/demo/certs/pat01.pem"
key = "$dir/demo/certs/pat01.key"
header = "Content-Type: application/soap+xml; charset=UTF-8"
data-binary = "@$dir/domanda.xml"
output = "$dir/answers/$n"
write-out = "%{http_code}\n"
url = "https://127.0.0.1:$((n % 2 ? port : other))/modi/soap/AssegnoTemporaneo/v1/"
END
done >"$dir/copies.curl"
curl --parallel --parallel-immediate --parallel-max 200 -sS -K "$dir/copies.curl" >"$dir/statuses" 2>"$dir/copies.err" ||
    { tail -5 "$dir/copies.err" >&2; sort "$dir/statuses" | uniq -c >&2; exit 1; }
answered=$(grep -c '^200$' "$dir/statuses")
numbers=$(cat "$dir"/answers/* | grep -o 'INPS-AUF-[0-9]\{4\}-[0-9]\{12\}' | sort -u | wc -l)
first=$(cat "$dir"/answers/* | grep -c 'Ripetizione>false<')
again=$(cat "$dir"/answers/* | grep -c 'Ripetizione>true<')
echo "200 copies through two gateways: $answered answers of 200, $numbers number, $first not a repetition, $again repetitions"
[ "$answered" -eq 200 ] && [ "$numbers" -eq 1 ] && [ "$first" -eq 1 ] && [ "$again" -eq 199 ]

"$load" --url "https://127.0.0.1:$port" --url "https://127.0.0.1:$other" --certs "$dir/demo/certs" \
    --connections 64 --requests "$many" --acked "$dir/acked.tsv"
[ "$(wc -l <"$dir/acked.tsv")" -eq "$many" ]
all_there 1
no_gap
echo "drill: passed"
