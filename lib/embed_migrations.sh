#!/bin/sh
# Writes a C file that holds every migrations/<driver>/NNNN_name.sql as a table (see migrate.c).
set -eu
dir=$1
printf '/* Made from %s by embed_migrations.sh: change the SQL files instead. */\n' "$dir/"
printf '#include "migrations.h"\n\n'
n=0
table=
previous=
for file in "$dir"/*/[0-9][0-9][0-9][0-9]_*.sql; do
    driver=$(basename "$(dirname "$file")")
    name=$(basename "$file" .sql)
    if [ "$driver/${name%%_*}" = "$previous" ]; then
        echo "$file: another migration has this number, and one of them would not be applied" >&2
        exit 1
    fi
    previous=$driver/${name%%_*}
    printf 'static const char sql_%s[] = {\n' "$n"
    od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    printf '0};\n\n'
    number=$(echo "$name" | sed 's/^0*\([0-9]*\)_.*/\1/')
    table="$table    {\"$driver\", $number, \"$name\", sql_$n},\n"
    n=$((n + 1))
done
printf 'const ecl_migration_t ecl_migrations[] = {\n'
printf "$table"
printf '    {0, 0, 0, 0}};\n'
