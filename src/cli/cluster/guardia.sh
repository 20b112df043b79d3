# The guard of a throw-away cluster: sh -c THIS guardia FOLDER LOG postgres …
#
# Its stdin is a pipe that only the owner of the cluster holds. When the pipe closes, however the owner came to its end,
# the server is stopped and FOLDER removed (none when ''). A line of the pipe is one command, answered with one line.
umask 077
trap '' PIPE # the owner may be gone before it reads an answer
via=$1 log=$2
shift 2
server=''

# The postmaster and its children: each of them leads a process group of its own.
famiglia() {
    echo "$server" "$(cat "/proc/$server/task/$server/children" 2>/dev/null)"
}

# Stops the server with a signal; what is still there after ten seconds is stopped at once.
ferma() {
    [ -n "$server" ] || return 0
    kill -s CONT $(famiglia)
    kill -s "$1" "$server"
    {
        trap 'kill $!; wait; exit' TERM
        sleep 10 &
        wait $! && kill -s QUIT "$server"
    } >/dev/null &
    sveglia=$!
    wait "$server"
    kill "$sveglia"
    wait "$sveglia"
    server=''
}

while read -r comando; do
    case $comando in
    avvia)
        "$@" </dev/null >>"$log" 2>&1 &
        server=$!
        ;;
    INT | QUIT) ferma "$comando" ;;
    STOP | CONT) [ -z "$server" ] || kill -s "$comando" $(famiglia) ;;
    esac
    echo "$comando $server"
done

if [ -n "$via" ]; then
    # Nobody needs the data any more.
    ferma QUIT
    rm -rf "$via"
else
    ferma INT
fi
