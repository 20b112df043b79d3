#!/usr/bin/env bash
# An upgrade that nobody notices: two gateways of one version at work on one PostgreSQL, load on both; the schema is brought
# up by the next version while they serve, then the gateways are replaced one at a time, and at the end one of them goes
# back. Nothing acknowledged is lost or doubled, no number is missing, and each of the two knows every key.
#
#     tests/drills/rolling-upgrade.sh OLD_VARCO [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server, and the program of the version before; it makes and throws away a cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
old=$(realpath "$1")
new=$(realpath "${2:-target/release/varco}")
load=${3:-target/release/examples/load}
port=${PORT:-18480}
ports=("$port" $((port + 1)))
health=("$((port + 2))" "$((port + 3))")
varco=$old
. tests/drills/lib/postgres.sh

# What runs on a place: $varco, from now on.
replace() {
    local since
    since=$(date +%s.%N)
    if [ -n "${running[$1]:-}" ]; then
        kill -TERM "${running[$1]}"
        wait "${running[$1]}" || true
    fi
    VARCO_SALUTE__INDIRIZZO=127.0.0.1:${health[$1]} gateway_start "${ports[$1]}"
    running[$1]=$gateway
    until_ready "${health[$1]}" 200 10 >/dev/null
    awk -v place="$1" -v since="$since" -v now="$(date +%s.%N)" -v what="$2" 'BEGIN {
        printf "gateway %d: %s, green %.1f s after SIGTERM\n", place, what, now - since }'
}
schema() { "$varco" check --config "$config" | grep -o "schema versione [0-9]*"; }

lay_down
owner=$(url_of varco)
running=()
for place in 0 1; do replace "$place" "of the old version" >/dev/null; done
before=$(schema)
urls=(--url "https://127.0.0.1:${ports[0]}" --url "https://127.0.0.1:${ports[1]}")
"$load" "${urls[@]}" --certs "$dir/demo/certs" --connections 8 --retry --shared --patience 60 --seconds 40 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")
sleep 3
varco=$new
VARCO_STORE=$owner "$varco" migrate --config "$config"
after=$(schema)
echo "$before, then $after, with both gateways of the old version at work"
[ "$before" != "$after" ] || echo "the two versions have the same schema: only the gateways are replaced"
sleep 3
for place in 0 1; do
    replace "$place" "of the new version"
    sleep 3
done
varco=$old
replace 0 "of the old version again, on the new schema"
sleep 3
kill -0 "$sender" || { echo "the load ended too early" >&2; cat "$dir/load.out" >&2; exit 1; }
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"
varco=$new
for place in 0 1; do
    echo "every acknowledged key, sent again to gateway $place:"
    "$load" --url "https://127.0.0.1:${ports[$place]}" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
done
all_there 0
echo "drill: passed"
