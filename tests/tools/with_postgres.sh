#!/bin/sh
# Runs a command with a private PostgreSQL server, whose parameters stand in ECL_TEST_PGSQL.
set -eu
postgres=$(cd "$(dirname "$0")/../../conf/demo" && pwd)/postgres.sh
dir=$(mktemp -d /tmp/eclectyc-postgres-XXXXXX)
trap 'trap - EXIT; "$postgres" stop "$dir"; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
ECL_TEST_PGSQL=$("$postgres" start "$dir" volatile)
export ECL_TEST_PGSQL
"$@"
