#!/bin/sh
# Undoes `make install`: uninstall.sh STAGING DESTDIR CONFDIR DATADIR PROGRAM...
# STAGING holds the files beside the programs as they were installed. One that has been changed since
# is somebody's work, and is left; so is all data.
set -eu
staging=$1 root=$2 confdir=$3 datadir=$4
shift 4

enabled=$root${confdir%/*}/mods-enabled/eclectyc_import.load
if [ -e "$enabled" ] || [ -L "$enabled" ]; then
    echo "Nothing was removed: Apache is set to load the module ($enabled)." >&2
    echo "First: a2dismod eclectyc_import, and restart Apache." >&2
    exit 1
fi

for program; do
    rm -f "$root$program"
done
(cd "$staging" && find . -type f) | sed 's/^\.//' | while read -r name; do
    if [ ! -e "$root$name" ]; then
        :
    elif cmp -s "$staging$name" "$root$name"; then
        rm "$root$name"
    else
        echo "left, as it was changed: $root$name"
    fi
done
(cd "$staging$datadir" && find . -depth -type d) | sed 's/^\.//' | while read -r name; do
    rmdir "$root$datadir$name" 2>/dev/null || true # it is not empty
done
[ ! -d "$root$datadir" ] || echo "left, as it is not empty: $root$datadir"
for name in /etc/systemd/system/eclectyc-import-worker.service /etc/cron.d/eclectyc-import \
    /etc/supervisor/conf.d/eclectyc-import-worker.conf; do
    [ ! -e "$root$name" ] || echo "left, as it was put there by hand: $root$name"
done
echo "Uninstalled. Your data was not touched: the database and the storage directory are where the"
echo "settings say, under /var/lib/eclectyc-import if they say nothing."
