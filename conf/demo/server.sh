#!/bin/sh
# The private demo server of `make run` and `make stop`.
#
#   server.sh start RUN_DIR PORT BUILD_DIR [DB]   start it (or restart it with the new build) and
#                                            import the sample file through its web interface; DB is
#                                            sqlite3, or pgsql: with a private PostgreSQL server
#   server.sh stop RUN_DIR                   stop it, and wait until it is gone
#
# Needs APXS and the packages of `make deps`. Everything it writes lies in RUN_DIR.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(cd "$here/../.." && pwd)
apxs=${APXS:-apxs}

die() {
    printf 'make run: %s\n' "$*" >&2
    exit 1
}

# Runs httpd with the definitions that conf/demo/httpd.conf uses.
httpd() {
    $launcher "$(${apxs} -q SBINDIR)/$(${apxs} -q PROGNAME)" \
        -C "Define RUN_DIR \"$run_dir\"" -C "Define PORT $port" \
        -C "Define SOURCE_DIR \"$source_dir\"" -C "Define BUILD_DIR \"$build_dir\"" \
        -C "Define MODULE_DIR \"$(${apxs} -q LIBEXECDIR)\"" \
        -C "Define RUN_USER $run_user" -C "Define RUN_GROUP $run_group" \
        -C "Define DB_DRIVER $db_driver" -C "Define DB_PARAMS \"$db_params\"" \
        -f "$here/httpd.conf" "$@"
}

running_pid() {
    pid=$(cat "$1/httpd.pid" 2>/dev/null) || return 1
    kill -0 "$pid" 2>/dev/null || return 1
    # the number may have been given to another process since
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$here/httpd.conf" || return 1
    printf '%s\n' "$pid"
}

# The database that httpd and the workers use, and how its owner looks into it.
start_database() {
    case $db_driver in
    sqlite3)
        "$here/postgres.sh" stop "$run_dir/postgres" # of an earlier DB=pgsql
        db_params=$run_dir/eclectyc.db
        look="sqlite3 '$db_params'"
        ;;
    pgsql)
        db_params=$("$here/postgres.sh" start "$run_dir/postgres") || die "PostgreSQL did not start"
        look="psql '$db_params' -c"
        ;;
    *) die "DB is sqlite3 or pgsql, not '$db_driver'" ;;
    esac
}

# Waits up to 30 s for a command to succeed.
wait_for() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || return 1
        sleep 0.1
    done
}

stop_httpd() {
    pid=$(running_pid "$1") || return 0
    # the workers are the server's children: it ends them before it goes
    kill -TERM "$pid"
    gone() { ! kill -0 "$pid" 2>/dev/null; }
    wait_for gone || die "the server (process $pid) did not stop within 30 s"
}

stop() {
    stop_httpd "$1"
    "$here/postgres.sh" stop "$1/postgres"
}

# As root, httpd's children and the worker become www-data. Where that user may not enter the
# directories (a clone under /root, say), the whole server runs as that user from the start, with the
# one capability that lets it pass them.
choose_user() {
    launcher=
    run_user=$(id -un)
    run_group=$(id -gn)
    [ "$(id -u)" -eq 0 ] || return 0
    run_user=www-data
    run_group=www-data
    id "$run_user" >/dev/null 2>&1 || die "there is no user $run_user: is Apache httpd installed?"
    chown -R "$run_user:$run_group" "$run_dir/storage" "$run_dir/log"
    chown "$run_user:$run_group" "$run_dir"
    for file in "$run_dir"/eclectyc.db*; do
        [ ! -e "$file" ] || chown "$run_user:$run_group" "$file"
    done
    as_user="setpriv --reuid=$run_user --regid=$run_group --init-groups"
    # a build under umask 077: no capability lets a program run that nobody may execute
    chmod a+x "$build_dir/eclectyc-import-worker"
    # the shell's test knows of capabilities, /usr/bin/test does not
    reachable='test -r "$0/templates/upload.mustache" && test -r "$1/mod_eclectyc_import.so" &&
        test -x "$1/eclectyc-import-worker" && test -w "$2"'
    if $as_user sh -c "$reachable" "$source_dir" "$build_dir" "$run_dir"; then
        return 0
    fi
    launcher="$as_user --inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
    $launcher sh -c "$reachable" "$source_dir" "$build_dir" "$run_dir" ||
        die "the user $run_user may not enter $source_dir or $run_dir: clone to a directory it can read"
}

make_password() {
    [ -s "$run_dir/admin.password" ] && return 0
    (umask 077 && openssl rand -hex 12 >"$run_dir/admin.password")
    # the file must be readable for httpd's children, so it holds a slow hash only
    htpasswd -iBc "$run_dir/htpasswd" admin <"$run_dir/admin.password" 2>/dev/null
    chmod 644 "$run_dir/htpasswd"
}

api() {
    curl -sS --fail-with-body --config "$run_dir/curl.conf" "$@"
}

start() {
    mkdir -p "$run_dir/log" "$run_dir/storage"
    make_password
    choose_user
    stop_httpd "$run_dir"
    if curl -s -o /dev/null "http://127.0.0.1:$port/"; then
        die "something else answers on port $port: choose another with PORT=…"
    fi
    # a start that fails leaves nothing running
    trap '[ $? -eq 0 ] || stop "$run_dir"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    start_database
    httpd -t 2>/dev/null || httpd -t
    httpd -k start || die "httpd did not start: see $run_dir/log/error_log"
    base=http://127.0.0.1:$port
    # the password goes to curl in a file, not on a command line that everybody can list
    (umask 077 && printf 'user = "admin:%s"\n' "$(cat "$run_dir/admin.password")" >"$run_dir/curl.conf")
    wait_for api "$base/api/import/status" || {
        tail -n 20 "$run_dir/log/error_log" >&2
        die "the server does not answer on $base"
    }

    sample=$source_dir/tests/samples/sample_hh_data.csv
    location=$(api -o /dev/null -w '%header{location}%{redirect_url}' -F "csv_file=@$sample" \
        -F import_type=hh -F async=1 "$base/admin/imports")
    batch_id=$(printf '%s' "$location" | sed -n 's|.*/status/\([0-9a-f-]\{36\}\).*|\1|p')
    [ -n "$batch_id" ] || die "the upload was not accepted"
    field() { printf '%s' "$job" | jq -r ".$1 // \"\""; }
    finished() {
        job=$(api "$base/api/import/jobs/$batch_id") || return 1
        case $(field status) in queued | processing) return 1 ;; esac
    }
    wait_for finished || die "the import did not end: see $run_dir/log/error_log"
    [ "$(field status)" = completed ] || die "the import ended as $(field status): $(field error_message)"

    cat <<END

Imported $(field filename): $(field status), $(field imported_rows) of $(field total_rows) rows,
readings: $(field readings_new) new, $(field readings_changed) changed, $(field readings_unchanged) unchanged

  address   $base/admin/imports
  user      admin
  password  $(cat "$run_dir/admin.password")
  job       $base/admin/imports/status/$batch_id
  readings  $look 'SELECT * FROM meter_readings LIMIT 5'
  stop      make stop
END
}

command=$1
mkdir -p "$2"
run_dir=$(cd "$2" && pwd)
case $command in
start)
    port=$3
    build_dir=$(cd "$4" && pwd)
    db_driver=${5:-sqlite3}
    start
    ;;
stop) stop "$run_dir" ;;
*) die "unknown command $command" ;;
esac
