# For the drills on PostgreSQL, sourced by them: a throw-away cluster, a folder as the demo lays it down, gateways on one
# database. Expects $varco; sets $dir, and ends all that it started when the drill ends, however that ends.
dir=$(mktemp -d)
# As root the server is another user, which must be able to come to its folder.
chmod 755 "$dir"
pids=()
end() {
    local pid
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    exec 9>&- || true
    [ -z "${cluster:-}" ] || wait "$cluster" 2>/dev/null || true
    rm -rf "$dir"
}
trap end EXIT
# shellcheck source=tests/drills/lib/health.sh
. tests/drills/lib/health.sh

# Starts the cluster of this drill, or starts it again on the same data.
cluster_start() {
    # What the last one said is not what this one says.
    rm -f "$dir/pg.in" "$dir/pg.out"
    mkfifo "$dir/pg.in"
    "$varco" dev postgres --dir "$dir/pg" <"$dir/pg.in" >"$dir/pg.out" 2>&1 9>&- &
    cluster=$!
    # The server stops when this end of the pipe is closed.
    exec 9>"$dir/pg.in"
    until grep -qs '^cartella' "$dir/pg.out"; do
        kill -0 "$cluster" 2>/dev/null || { cat "$dir/pg.out" >&2; exit 1; }
        sleep 0.1
    done
}

cluster_stop() {
    exec 9>&-
    wait "$cluster" || true
}

# The process ids of the server.
cluster_processes() {
    local postmaster
    postmaster=$(head -1 "$dir/pg/data/postmaster.pid")
    echo "$postmaster" "$(cat "/proc/$postmaster/task/$postmaster/children")"
}

url_of() { awk -v user="$1" '$1 == user && $2 ~ /^postgres:/ { print $2 }' "$dir/pg.out"; }

# Folder, cluster and schema; from here on every command speaks to it as the gateway's role.
lay_down() {
    "$varco" demo --dir "$dir/demo" --listen 127.0.0.1:0 >"$dir/demo.out" 2>&1 &
    local demo=$!
    pids+=("$demo")
    until grep -qs 'Ripetizione=true' "$dir/demo.out"; do
        kill -0 "$demo" || { cat "$dir/demo.out" >&2; exit 1; }
        sleep 0.1
    done
    kill -INT "$demo"
    wait "$demo" || true
    config=$dir/demo/varco.toml
    cluster_start
    VARCO_STORE=$(url_of varco) "$varco" migrate --config "$config"
    VARCO_STORE=$(url_of varco_gateway)
    export VARCO_STORE
    certs=(--cacert "$dir/demo/certs/ca.pem" --cert "$dir/demo/certs/pat01.pem" --key "$dir/demo/certs/pat01.key")
}

# Starts a gateway on a port; its process id is in $gateway. What is drilled is the store, not the door.
gateway_start() {
    VARCO_LISTENER__INDIRIZZO=127.0.0.1:$1 VARCO_REGISTRO__NODO=varco$1 VARCO_LIMITS__CONNESSIONI_PER_CERTIFICATO_MAX=512 \
        VARCO_LIMITS__HANDSHAKE_S=30 "$varco" serve --config "$config" >>"$dir/serve.$1.log" 2>&1 9>&- &
    gateway=$!
    pids+=("$gateway")
    until curl -s "${certs[@]}" -o /dev/null "https://127.0.0.1:$1/modi/soap/AssegnoTemporaneo/v1/?wsdl"; do
        kill -0 "$gateway" || { cat "$dir/serve.$1.log" >&2; exit 1; }
        sleep 0.05
    done
}

# Posts a file to a port; the answer lies in $dir/answer, its head in $dir/head. Prints the seconds it took.
post() {
    curl -s "${certs[@]}" --max-time 60 -H 'Content-Type: application/soap+xml; charset=UTF-8' -D "$dir/head" \
        -o "$dir/answer" -w '%{time_total}' --data-binary @"$1" "https://127.0.0.1:$2/modi/soap/AssegnoTemporaneo/v1/"
}

# The register is in order and holds what was acknowledged ($dir/acked.tsv) and so many of the drill's own: no more, no less,
# each number and each key once. It stays in $dir/register.tsv, what `register verify` said in $dir/verified.
all_there() {
    local acked registered doubled keys_doubled
    "$varco" register verify --config "$config" | tee "$dir/verified"
    "$varco" register list --config "$config" >"$dir/register.tsv"
    acked=$(wc -l <"$dir/acked.tsv")
    registered=$(wc -l <"$dir/register.tsv")
    doubled=$(cut -f1 "$dir/register.tsv" | sort | uniq -d | wc -l)
    keys_doubled=$(cut -f2,3 "$dir/register.tsv" | sort | uniq -d | wc -l)
    echo "acknowledged $acked and the drill's own $1, registered $registered, numbers doubled $doubled, keys doubled $keys_doubled"
    [ "$registered" -eq $((acked + $1)) ] && [ "$doubled" -eq 0 ] && [ "$keys_doubled" -eq 0 ]
}

# The last number of the register is as high as it is long: none is missing.
no_gap() {
    local last
    last=$(tail -1 "$dir/register.tsv" | cut -f1 | grep -o '[0-9]\{12\}$')
    echo "last number $last"
    [ "$((10#$last))" -eq "$(wc -l <"$dir/register.tsv")" ]
}
