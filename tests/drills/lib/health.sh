# Readiness, for the drills that ask for it, sourced by them. Expects $dir.

# What readiness says on a port: its status, and the body in $dir/ready.
readiness() { curl -s --max-time 5 -o "$dir/ready" -w '%{http_code}' "http://127.0.0.1:$1/health/ready" || true; }

# Waits at most so many seconds until readiness says so; prints how long it took.
until_ready() {
    local since now
    since=$(date +%s.%N)
    while true; do
        now=$(date +%s.%N)
        [ "$(readiness "$1")" = "$2" ] && break
        awk -v a="$since" -v b="$now" -v most="$3" 'BEGIN { exit !(b - a < most) }' ||
            { echo "readiness of port $1 is not $2 after $3 s: $(cat "$dir/ready")" >&2; return 1; }
        sleep 0.05
    done
    awk -v a="$since" -v b="$now" 'BEGIN { printf "%.1f", b - a }'
}
