#!/usr/bin/env bash
# Validation alone, side by side: the same lot read by `varco validate`, by xmllint and by Python's lxml (both are libxml2),
# on one core. User time, the least of some runs each, taken in turn so that a busy minute falls on all of them.
#
#     tests/drills/validation.sh [RUNS] [ITEMS] [VARCO]
#
# lxml is taken from PyPI into target/lxml, once. What each does: well-formedness, namespaces and the XSD, all of them;
# lxml builds the tree first; varco cuts the lot, reads every item a second time, and besides has digests, key and all rules.
# Reported, not asserted; docs/prestazioni.md has what was seen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=${1:-5}
items=${2:-10000}
varco=$(realpath "${3:-target/release/varco}")
xsd=xsd/assegno-temporaneo-v1.xsd
python=target/lxml/bin/python
"$python" -c 'import lxml' 2>/dev/null || {
    python3 -m venv target/lxml
    "$python" -m pip install -q --disable-pip-version-check lxml
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$varco" sample --lotto "$items" --semplice --seme 1 --data 2021-07-15 -o "$dir/lotto.xml" >/dev/null
bytes=$(stat -c %s "$dir/lotto.xml")
"$varco" sample --lotto 1 --semplice --seme 1 --data 2021-07-15 -o "$dir/uno.xml" >/dev/null
# One value wrong: who finds nothing there has validated nothing.
sed '0,/<at:Disabile>false/s//<at:Disabile>forse/' "$dir/lotto.xml" >"$dir/errato.xml"

by_varco() { "$varco" validate --data 2021-07-15 "$1"; }
by_xmllint() { xmllint --stream --noout --schema "$xsd" "$1"; }
by_lxml() {
    "$python" - "$xsd" "$1" <<'PY'
import sys
from lxml import etree
schema = etree.XMLSchema(etree.parse(sys.argv[1]))
sys.exit(not schema.validate(etree.parse(sys.argv[2], etree.XMLParser(huge_tree=True))))
PY
}

# User time of one run in seconds, on core 0; the run must say that the file is valid.
user_time() {
    local TIMEFORMAT=%U
    { time taskset -c 0 bash -c "$(declare -f "$1"); varco='$varco' python='$python' xsd='$xsd'; $1 '$2'" \
        >"$dir/out" 2>&1; } 2>"$dir/time" || { cat "$dir/out" >&2; exit 1; }
    tail -1 "$dir/time"
}
who=(varco xmllint lxml)
for one in "${who[@]}"; do
    if "by_$one" "$dir/errato.xml" >"$dir/out" 2>&1; then
        echo "$one finds nothing wrong in a lot that is" >&2
        exit 1
    fi
    # Schema and interpreter: what takes no part in the rate.
    echo "$one, a lot of one: $(user_time "by_$one" "$dir/uno.xml") s"
done
for ((run = 0; run < runs; run++)); do
    for one in "${who[@]}"; do user_time "by_$one" "$dir/lotto.xml" >>"$dir/$one.times"; done
done
echo "lot of $items, $bytes bytes, $runs runs in turn, load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) cores:"
for one in "${who[@]}"; do
    sort -n "$dir/$one.times" | awk -v one="$one" -v bytes="$bytes" '{ t[NR] = $1 }
        END { printf "%-8s %.2f s of user time at best, %.2f in the middle, %.2f at worst: %.1f MB/s at best\n",
            one, t[1], t[int((NR + 1) / 2)], t[NR], bytes / t[1] / 1e6 }'
done
xmllint --version 2>&1 | sed -n 1p
"$python" -c 'from lxml import etree; print("lxml", etree.__version__, "libxml2", ".".join(map(str, etree.LIBXML_VERSION)))'
