# For the drills that measure a gateway on core 0, sourced by them. Expects $load, $dir, $port, $seconds and $gateway; sets
# $others, the cores of the client.

others=$(nproc --all)
others=$([ "$others" -gt 1 ] && echo "1-$((others - 1))" || echo 0)

# In the background: a gateway as deploy/varco.service runs it (CPUSchedulingPolicy=batch), with core 0 for itself.
on_core_0() { exec taskset -c 0 chrt --batch 0 "$@"; }
# Hundredths of a second of CPU by thread, since the start of the gateway.
cpu() {
    for task in "/proc/$gateway/task/"*; do
        tr ' ' '_' <"$task/comm" | tr '\n' ' '
        sed 's/.*) //' "$task/stat" | awk '{ print $12 + $13 }'
    done | awk '{ used[$1] += $2 } END { for (name in used) print name, used[name] }' | sort
}
# Microseconds a message and thread between two of those: FILE FILE MESSAGES.
spent() {
    join "$1" "$2" | awk -v n="$3" '{ us = ($3 - $2) * 10000 / n; all += us
        if (us >= 1) parts = parts sprintf(" %s %.0f", $1, us) } END { printf "CPU %.0f us:%s", all, parts }'
}
rss() { awk -v what="$1" '$1 == what ":" { printf "%.1f MiB", $2 / 1024 }' "/proc/$gateway/status"; }
# Sends for $seconds, and says in a line what came of it: NAME OPTIONS OF LOAD.
drive() {
    local what=$1 n
    shift
    cpu >"$dir/before"
    taskset -c "$others" "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --pid "$gateway" \
        --seconds "$seconds" --json "$dir/load.json" "$@" >"$dir/load.out" 2>&1 || { cat "$dir/load.out"; exit 1; }
    cpu >"$dir/after"
    n=$(grep -oE '[0-9]+ (answers|handshakes)' "$dir/load.out" | head -1 | cut -d' ' -f1)
    echo "$what: $(grep -oE '[0-9.]+/s' "$dir/load.out" | head -1)," \
        "$(grep -oE 'p50.*' "$dir/load.out" | head -1) ms; RSS $(rss VmRSS); $(spent "$dir/before" "$dir/after" "$n")"
}
# Until it has nothing left to do: of what was sent before, the chain of proof is sealed a few seconds later.
calm() {
    local spent=100 sum last
    last=$(cpu | awk '{ sum += $2 } END { print sum }')
    until [ "$spent" -lt 5 ]; do
        sleep 12
        sum=$(cpu | awk '{ sum += $2 } END { print sum }')
        spent=$((sum - last))
        last=$sum
    done
}
