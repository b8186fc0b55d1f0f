#!/bin/sh
# A private PostgreSQL server, for `make run DB=pgsql` and for tests.
#
#   postgres.sh start DIR [volatile]   makes it (in DIR/data) if it is not there yet, starts it, and
#                                      prints the parameters to connect with; volatile: without
#                                      fsync, for data that nobody needs after a crash
#   postgres.sh stop DIR               stops it
#
# It listens on a Unix socket in a directory that only its owner can enter, on no port. Started by
# root it runs as www-data, because PostgreSQL refuses to run as root.
set -eu

die() {
    printf 'postgres.sh: %s\n' "$*" >&2
    exit 1
}

# Debian keeps the server's programs out of the path.
find_programs() {
    bin=${PG_BINDIR:-$(pg_config --bindir 2>/dev/null || true)}
    if [ ! -x "$bin/initdb" ]; then
        for bin in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -V); do :; done
    fi
    [ -x "${bin:-}/initdb" ] || die "PostgreSQL's initdb is not found: install postgresql, or set PG_BINDIR"
}

# Sets $as to what runs a command as the server's user.
choose_user() {
    as=
    [ "$(id -u)" -eq 0 ] || return 0
    chown www-data:www-data "$dir"
    as="setpriv --reuid=www-data --regid=www-data --init-groups"
    # a clone under /root: the one capability that lets it pass, as for httpd; the shell's test knows
    # of capabilities, /usr/bin/test does not
    $as sh -c 'test -w "$0"' "$dir" && return 0
    as="$as --inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
    $as sh -c 'test -w "$0"' "$dir" || die "the user www-data may not enter $dir"
}

running() {
    [ -s "$dir/data/postmaster.pid" ] && $as "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1
}

start() {
    choose_user
    chmod 700 "$dir"
    cd /
    if [ ! -s "$dir/data/PG_VERSION" ]; then
        $as "$bin/initdb" -D "$dir/data" -U eclectyc --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
            ${volatile:+--no-sync} >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
        if [ -n "$volatile" ]; then
            printf 'fsync = off\nfull_page_writes = off\nmax_wal_size = 256MB\n' >>"$dir/data/postgresql.conf"
        fi
    fi
    if ! running; then
        # the name of a Unix socket has at most 107 bytes, and what is printed here needs no quoting
        rm -f "$dir/socket"
        socket=$dir
        case $dir in
        *[!A-Za-z0-9/._-]*) socket= ;;
        esac
        if [ -z "$socket" ] || [ "${#dir}" -gt 80 ]; then
            socket=$($as mktemp -d /tmp/eclectyc-postgres-XXXXXX)
        fi
        ln -s "$socket" "$dir/socket"
        $as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/server.log" \
            -o "-c listen_addresses='' -c unix_socket_directories='$(readlink "$dir/socket")'" start >/dev/null ||
            { tail -n 20 "$dir/server.log" >&2; die "the server did not start"; }
    fi
    printf 'host=%s user=eclectyc dbname=postgres\n' "$(readlink "$dir/socket")"
}

stop() {
    choose_user
    cd /
    ! running || $as "$bin/pg_ctl" -D "$dir/data" -w -t 60 -m fast stop >/dev/null ||
        die "the server in $dir did not stop"
    socket=$(readlink "$dir/socket" 2>/dev/null) || return 0
    [ "$socket" = "$dir" ] || rmdir "$socket" 2>/dev/null || :
    rm -f "$dir/socket"
}

command=$1
volatile=${3:-}
case $command in
start)
    mkdir -p "$2"
    dir=$(cd "$2" && pwd)
    find_programs
    start
    ;;
stop)
    [ -d "$2/data" ] || exit 0
    dir=$(cd "$2" && pwd)
    find_programs
    stop
    ;;
*) die "unknown command $command" ;;
esac
