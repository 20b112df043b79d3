#!/usr/bin/env bash
# Two gateways behind HAProxy, set up as deploy/haproxy.cfg says, under load: each is stopped with SIGTERM and started again,
# in turn. Clients that open a connection for each message see nothing of it; those that keep one open send again what they
# had not been answered, and every key gets one number. Then the database goes away: both gateways are red, and a sender is
# still told so by a Receiver fault.
#
#     tests/drills/haproxy.sh [VARCO] [LOAD]
#
# Needs the programs of a PostgreSQL server, and haproxy (HAPROXY=… where it is not on the way).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
varco=$(realpath "${1:-target/release/varco}")
load=${2:-target/release/examples/load}
haproxy=${HAPROXY:-$(command -v haproxy || true)}
[ -n "$haproxy" ] || { echo "drill: SKIPPED, there is no haproxy here" >&2; exit 0; }
port=${PORT:-18468}
front=$port
ports=("$((port + 1))" "$((port + 2))")
health=("$((port + 3))" "$((port + 4))")
. tests/drills/lib/postgres.sh
. tests/drills/lib/replica.sh

lay_down
export VARCO_DATABASE__ATTESA_S=2 VARCO_DATABASE__ISTRUZIONE_S=3
running=()
start() {
    VARCO_SALUTE__INDIRIZZO=127.0.0.1:${health[$1]} gateway_start "${ports[$1]}"
    running[$1]=$gateway
    until_ready "${health[$1]}" 200 10 >/dev/null
}
start 0
start 1
# The sample, with the addresses of this drill.
sed -e "s/0\.0\.0\.0:8443/127.0.0.1:$front/" \
    -e "s/10\.0\.0\.11:8443/127.0.0.1:${ports[0]}/; s/10\.0\.0\.12:8443/127.0.0.1:${ports[1]}/" \
    -e "/server varco1 /s/port 8444/port ${health[0]}/; /server varco2 /s/port 8444/port ${health[1]}/" \
    deploy/haproxy.cfg >"$dir/haproxy.cfg"
"$haproxy" -c -q -f "$dir/haproxy.cfg"
"$haproxy" -db -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 9>&- &
pids+=($!)
until curl -s "${certs[@]}" -o /dev/null "https://127.0.0.1:$front/modi/soap/AssegnoTemporaneo/v1/?wsdl"; do sleep 0.1; done

"$load" --url "https://127.0.0.1:$front" --certs "$dir/demo/certs" --connections 8 --retry --shared --patience 60 --seconds 30 \
    --acked "$dir/acked.tsv" >"$dir/load.out" 2>&1 9>&- &
sender=$!
pids+=("$sender")
# A connection for each message, and no second try.
"$varco" sample -o "$dir/domanda.xml" >/dev/null
single() {
    while [ ! -e "$dir/enough" ]; do
        curl -s "${certs[@]}" --max-time 30 -H 'Content-Type: application/soap+xml; charset=UTF-8' -o /dev/null \
            -w '%{http_code} %{errormsg}\n' --data-binary @"$dir/domanda.xml" \
            "https://127.0.0.1:$front/modi/soap/AssegnoTemporaneo/v1/" >>"$dir/singles" || true
    done
}
single 9>&- &
pids+=($!)
one_by_one=$!
sleep 2
for place in 0 1 0 1; do
    kill -TERM "${running[$place]}"
    red=$(until_ready "${health[$place]}" 503 5)
    since=$(date +%s.%N)
    wait "${running[$place]}"
    awk -v place="$place" -v red="$red" -v since="$since" -v now="$(date +%s.%N)" 'BEGIN {
        printf "gateway %d: red %.1f s after SIGTERM, ended %.1f s later, exit code 0\n", place + 1, red, now - since }'
    start "$place"
    # Until the balancer has it back.
    sleep 2.5
done
touch "$dir/enough"
wait "$one_by_one" || true
wait "$sender" || { cat "$dir/load.out"; exit 1; }
cat "$dir/load.out"
sort "$dir/singles" | uniq -c
[ "$(grep -vc '^200 $' "$dir/singles" || true)" -eq 0 ]
echo "every acknowledged key, sent again:"
"$load" --url "https://127.0.0.1:$front" --certs "$dir/demo/certs" --connections 8 --verify "$dir/acked.tsv"
all_there 1

cluster_stop
for place in 0 1; do until_ready "${health[$place]}" 503 10 >/dev/null; done
sleep 2.5
post "$dir/domanda.xml" "$front" >/dev/null
grep -q ' 503 ' "$dir/head" && grep -qi '^retry-after: [0-9]' "$dir/head" && grep -q 'STO-001' "$dir/answer"
echo "database gone, both red: a Receiver fault through the balancer, 503 with Retry-After"
cluster_start
for place in 0 1; do until_ready "${health[$place]}" 200 20 >/dev/null; done
until post "$dir/domanda.xml" "$front" >/dev/null && grep -q ' 200 ' "$dir/head"; do sleep 0.2; done
echo "drill: passed"
