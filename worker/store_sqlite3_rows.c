#include "store_sqlite3_rows.h"

#include "period_text.h"

/* As SQLite counts the columns of the declaration. */
enum {
    COLUMN_METER_ID,
    COLUMN_READING_DATE,
    COLUMN_CHANNEL,
    COLUMN_INTERVAL_MINUTES,
    COLUMN_DAY_START,
    COLUMN_PERIOD_VALUES,
    COLUMN_PERIOD_FLAGS,
    COLUMN_UNIT,
    COLUMN_IMPORT_LINE
};

static const char declaration[] =
    "CREATE TABLE x (meter_id INTEGER, reading_date TEXT, channel TEXT, interval_minutes INTEGER,"
    " day_start INTEGER, period_values TEXT, period_flags TEXT, unit TEXT, import_line INTEGER)";

typedef struct table_t {
    sqlite3_vtab base; /* SQLite's; first */
    const ecl_store_rows_t *rows;
} table_t;

typedef struct cursor_t {
    sqlite3_vtab_cursor base; /* SQLite's; first */
    const ecl_store_rows_t *rows;
    int at;
    /* of the row at hand: SQLite is done with them when it asks for the next one */
    char date[ECL_DATE_TEXT];
    char values[ECL_PERIOD_TEXT_MAX];
} cursor_t;

static int table_connect(sqlite3 *sqlite, void *rows, int argc, const char *const *argv,
                         sqlite3_vtab **pbase, char **perror)
{
    table_t *table;
    int rc = sqlite3_declare_vtab(sqlite, declaration);

    (void)argc;
    (void)argv;
    (void)perror;
    if (rc != SQLITE_OK) {
        return rc;
    }
    table = sqlite3_malloc(sizeof *table);
    if (!table) {
        return SQLITE_NOMEM;
    }
    memset(table, 0, sizeof *table);
    table->rows = rows;
    *pbase = &table->base;
    return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

/* There is one way: from the first row to the last. */
static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    info->estimatedRows = 1000;
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **pbase)
{
    cursor_t *cursor = sqlite3_malloc(sizeof *cursor);

    if (!cursor) {
        return SQLITE_NOMEM;
    }
    memset(&cursor->base, 0, sizeof cursor->base);
    cursor->rows = ((const table_t *)base)->rows;
    cursor->at = 0;
    *pbase = &cursor->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                         sqlite3_value **argv)
{
    (void)number;
    (void)text;
    (void)argc;
    (void)argv;
    ((cursor_t *)base)->at = 0;
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    ((cursor_t *)base)->at++;
    return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
    const cursor_t *cursor = (const cursor_t *)base;

    return cursor->at >= cursor->rows->count;
}

static void give_values(cursor_t *cursor, const ecl_store_row_t *row, sqlite3_context *context)
{
    apr_size_t length;
    const char *text = ecl_store_row_text(row, cursor->values, &length);

    sqlite3_result_text(context, text, (int)length, SQLITE_STATIC);
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    cursor_t *cursor = (cursor_t *)base;
    const ecl_store_row_t *row = cursor->rows->rows[cursor->at];
    const ecl_meter_day_t *key = row->key;

    switch (column) {
    case COLUMN_METER_ID:
        sqlite3_result_int64(context, row->meter_id);
        break;
    case COLUMN_READING_DATE:
        ecl_date_print(key->date, cursor->date);
        sqlite3_result_text(context, cursor->date, -1, SQLITE_STATIC);
        break;
    case COLUMN_CHANNEL:
        sqlite3_result_text(context, key->channel, -1, SQLITE_STATIC);
        break;
    case COLUMN_INTERVAL_MINUTES:
        sqlite3_result_int(context, key->interval_minutes);
        break;
    case COLUMN_DAY_START:
        sqlite3_result_int64(context, key->day_start);
        break;
    case COLUMN_PERIOD_VALUES:
        give_values(cursor, row, context);
        break;
    case COLUMN_PERIOD_FLAGS:
        sqlite3_result_text(context, row->flags, key->periods, SQLITE_STATIC);
        break;
    case COLUMN_UNIT:
        sqlite3_result_text(context, key->unit, -1, SQLITE_STATIC);
        break;
    default: /* COLUMN_IMPORT_LINE */
        sqlite3_result_int64(context, row->line);
        break;
    }
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *prowid)
{
    *prowid = ((const cursor_t *)base)->at;
    return SQLITE_OK;
}

int ecl_store_rows_make(sqlite3 *sqlite, const ecl_store_rows_t *rows)
{
    /* without xCreate the table is there without being created */
    static const sqlite3_module module = {.xConnect = table_connect,
                                          .xBestIndex = table_best_index,
                                          .xDisconnect = table_disconnect,
                                          .xOpen = cursor_open,
                                          .xClose = cursor_close,
                                          .xFilter = cursor_filter,
                                          .xNext = cursor_next,
                                          .xEof = cursor_eof,
                                          .xColumn = cursor_column,
                                          .xRowid = cursor_rowid};

    return sqlite3_create_module(sqlite, "ecl_rows", &module, (void *)rows);
}
