# For the drills on the embedded store, sourced by them: a folder as the demo lays it down, and a gateway on it. Expects
# $varco, $dir and $port; sets $gateway.

# Lays the folder down, by a demo that goes on: it is at work once its first receipt was told.
demo_start() {
    "$varco" demo --dir "$1" --listen "127.0.0.1:$port" >"$dir/demo.out" 2>&1 &
    gateway=$!
    until grep -qs 'Ripetizione=true' "$dir/demo.out"; do sleep 0.1; kill -0 $gateway; done
}

# Ends it, for a drill of `serve` on its folder.
demo_stop() {
    kill -INT $gateway
    wait $gateway || true
}

# A gateway on that folder, until it answers.
start() {
    "$varco" serve --config "$dir/demo/varco.toml" >>"$dir/serve.log" 2>&1 &
    gateway=$!
    ready
}

# Messages to it, as $load sends them; all it says when a promise was broken.
send() { "$load" --url "https://127.0.0.1:$port" --certs "$dir/demo/certs" --connections 16 "$@" >"$dir/load.out" 2>&1 ||
    { cat "$dir/load.out" >&2; exit 1; }; }

# The day of the samples: within the window, whatever the day of the drill.
set_clock() { sed -i 's/^inizio = ""/inizio = "2021-07-15T10:00:00Z"/' "$dir/demo/varco.toml"; }

# Until the gateway answers.
ready() {
    until curl -s -o /dev/null "https://127.0.0.1:$port/" --cacert "$dir/demo/certs/ca.pem" \
        --cert "$dir/demo/certs/pat01.pem" --key "$dir/demo/certs/pat01.key"; do sleep 0.1; kill -0 $gateway; done
}
