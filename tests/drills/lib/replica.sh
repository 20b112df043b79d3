# For the drills with a standby, sourced after lib/postgres.sh, whose cluster is the primary: a streaming replica of it,
# made from the server's own programs. Expects $dir and $varco.

# Runs a program of the server as the user that owns the data, which is never root.
server() {
    local bin=${PG_BIN:-$(pg_config --bindir 2>/dev/null || true)}
    [ -x "$bin/postgres" ] || bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
    local program=$bin/$1
    shift
    if [ "$(id -u)" -eq 0 ]; then
        # 9 is the pipe that keeps the primary alive: nobody else shall hold it.
        (cd / && exec setpriv --reuid "$(stat -c %u "$dir/pg/data")" --regid "$(stat -c %g "$dir/pg/data")" \
            --clear-groups "$program" "$@" 9>&-)
    else
        "$program" "$@" 9>&-
    fi
}

# Where a node's socket lies, and a line of SQL for it.
socket_of() { url_of varco | grep -o 'host=[^&]*' | cut -d= -f2; }
primary_sql() { server psql -X -q -A -t -v ON_ERROR_STOP=1 -U varco -h "$(socket_of)" -d "${2:-varco}" -c "$1"; }
replica_sql() { server psql -X -q -A -t -v ON_ERROR_STOP=1 -U varco -h "$dir/replica" -d "${2:-varco}" -c "$1"; }

replica_up() {
    server pg_ctl -D "$dir/replica/data" -s -w -t 30 -l "$dir/replica/log" \
        -o "-k $dir/replica -p 5432 -c listen_addresses='' -c shared_buffers=32MB -c max_connections=200" start
}

# The primary lets a replica in; asked again after every start, which writes its pg_hba.conf anew.
let_in() {
    echo 'local replication all trust' >>"$dir/pg/data/pg_hba.conf"
    primary_sql "SELECT pg_reload_conf()" >/dev/null
}

# Makes the replica, and has every commit wait for it from now on.
replica_start() {
    mkdir -p "$dir/replica"
    chown "$(stat -c %u:%g "$dir/pg/data")" "$dir/replica"
    let_in
    server pg_basebackup -U varco -h "$(socket_of)" -D "$dir/replica/data" -R -X stream -c fast
    echo "primary_conninfo = 'host=$(socket_of) user=varco application_name=replica'" >>"$dir/replica/data/postgresql.auto.conf"
    chmod 700 "$dir/replica/data"
    replica_up
    # Only now, and on the primary alone: after it took over, the replica waits for nobody.
    primary_sql "ALTER SYSTEM SET synchronous_standby_names = 'replica'"
    primary_sql "SELECT pg_reload_conf()" >/dev/null
    until [ "$(primary_sql "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")" = 1 ]; do sleep 0.1; done
}

replica_stop() { server pg_ctl -D "$dir/replica/data" -s -w -m "${1:-fast}" stop; }

# The gateways' URL for both nodes.
url_of_both() {
    url_of varco_gateway | sed "s|host=\([^&]*\)|host=\1,$dir/replica|; s|\$|\&target_session_attrs=read-write|"
}
