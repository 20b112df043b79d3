#!/usr/bin/env bash
# Bulk by files: a folder of 1,000 domande, 20 of them faulty, sent, interrupted and sent again: 980 numbers, 20
# refusals each with its error and line in esiti.csv, no second number for anything.
#
#     tests/drills/bulk.sh [VARCO]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
dir=$(mktemp -d)
port=${PORT:-18445}
gateway=''
trap 'kill $gateway 2>/dev/null && wait $gateway 2>/dev/null || true; rm -rf "$dir"' EXIT
# shellcheck source=tests/drills/lib/embedded.sh
. tests/drills/lib/embedded.sh
demo_start "$dir/demo"

"$varco" sample --quanti 1000 --dir "$dir/lotto" >/dev/null
# Ten break the XSD, ten break a rule.
n=0
for file in $(ls "$dir"/lotto/*.xml | awk 'NR % 50 == 0'); do
    n=$((n + 1))
    if [ $((n % 2)) -eq 0 ]; then
        sed -i 's|<at:PresentataDa>GENITORE|<at:PresentataDa>NONNO|' "$file"
    else
        sed -i '0,/<at:Valore>true/s||<at:Valore>false|' "$file"
    fi
done

timeout -s INT 1 "$varco" send --config "$dir/demo/varco.toml" --jobs 8 "$dir/lotto" >"$dir/first.out" 2>&1 || true
sent=$("$varco" register list --config "$dir/demo/varco.toml" | wc -l)
echo "interrupted after $((sent - 1)) registrations"
code=0
"$varco" send --config "$dir/demo/varco.toml" --jobs 8 "$dir/lotto" >"$dir/second.out" 2>&1 || code=$?
tail -1 "$dir/second.out"
echo "exit code $code"
head -1 "$dir/lotto/esiti.csv"
esiti=$dir/lotto/esiti.csv
echo "refusals with code and line:"
grep -c 'RIFIUTATA\|FAULT' "$esiti"
grep -m2 'RIFIUTATA\|FAULT' "$esiti"
registered=$(($("$varco" register list --config "$dir/demo/varco.toml" | wc -l) - 1))
echo "registered $registered"
"$varco" register verify --config "$dir/demo/varco.toml"
[ "$registered" -eq 980 ] && [ "$code" -eq 65 ]
echo "drill: passed"
