#include <stddef.h>

#include <apr_file_io.h>
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_network_io.h>

#include "settings.h"

#define MAX_FILE_BYTES (1024 * 1024)
#define PREFIX "EclectycImport"
#define HOST_NAME_BYTES 64

typedef enum kind_t {
    KIND_DATABASE,
    KIND_PATH,
    KIND_NUMBER, /* int */
    KIND_SIZE,   /* apr_off_t, at least 1 */
    KIND_ZONE,
    KIND_FLAG, /* int: 0 or 1 */
    KIND_HOST
} kind_t;

/* What the arguments of a directive must be, and where they go. */
typedef struct rule_t {
    const char *directive;
    kind_t kind;
    apr_size_t offset;
    int min, max;
} rule_t;

static const rule_t rules[] = {
    {PREFIX "Database", KIND_DATABASE, offsetof(ecl_settings_t, db_driver), 0, 0},
    {PREFIX "Storage", KIND_PATH, offsetof(ecl_settings_t, storage_dir), 0, 0},
    {PREFIX "Templates", KIND_PATH, offsetof(ecl_settings_t, templates_dir), 0, 0},
    {PREFIX "Workers", KIND_NUMBER, offsetof(ecl_settings_t, workers), 0, 64},
    {PREFIX "WorkerProgram", KIND_PATH, offsetof(ecl_settings_t, worker_program), 0, 0},
    {PREFIX "MaxUpload", KIND_SIZE, offsetof(ecl_settings_t, max_upload_bytes), 0, 0},
    {PREFIX "Wait", KIND_NUMBER, offsetof(ecl_settings_t, wait_seconds), 0, 300},
    {PREFIX "Timezone", KIND_ZONE, offsetof(ecl_settings_t, timezone), 0, 0},
    {PREFIX "MaxErrors", KIND_NUMBER, offsetof(ecl_settings_t, max_errors), 0, 1000000000},
    {PREFIX "Retention", KIND_NUMBER, offsetof(ecl_settings_t, retention_days), 0, 36500},
    {PREFIX "HistoryRetention", KIND_NUMBER, offsetof(ecl_settings_t, history_days), 0, 36500},
    {PREFIX "StorageShared", KIND_FLAG, offsetof(ecl_settings_t, storage_shared), 0, 0},
    {PREFIX "HostName", KIND_HOST, offsetof(ecl_settings_t, host_name), 0, 0},
};

enum { TAKE1 = 1, TAKE2 = 2 };

/* ECL_SETTINGS, in its order, which is also that of rules. */
static const struct directive_t {
    const char *name;
    int nargs;
    const char *fallback;
    const char *help;
} directives[] = {
#define DIRECTIVE(name, args, fallback, help) {name, args, fallback, help},
    ECL_SETTINGS(DIRECTIVE)
#undef DIRECTIVE
};

enum { NDIRECTIVES = sizeof directives / sizeof *directives };

_Static_assert(sizeof rules / sizeof *rules == NDIRECTIVES, "every directive has a rule");

static int find_directive(const char *name)
{
    for (int i = 0; i < NDIRECTIVES; i++) {
        if (!apr_cstr_casecmp(directives[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static void *field(ecl_settings_t *settings, const rule_t *rule)
{
    return (char *)settings + rule->offset;
}

static const void *const_field(const ecl_settings_t *settings, const rule_t *rule)
{
    return (const char *)settings + rule->offset;
}

/* "64", "64K", "64M", "64G": 1 to 2^63 - 1 bytes. */
static int parse_size(const char *text, apr_pool_t *p, apr_off_t *pbytes)
{
    static const char suffixes[] = "KMG";
    apr_size_t length = strlen(text);
    const char *suffix = length ? strchr(suffixes, apr_toupper(text[length - 1])) : NULL;
    int shift = suffix && *suffix ? 10 * (int)(suffix - suffixes + 1) : 0;
    apr_int64_t number;

    if (!ecl_parse_int64(apr_pstrndup(p, text, length - (shift ? 1 : 0)), 1, APR_INT64_MAX >> shift,
                         &number)) {
        return 0;
    }
    *pbytes = number << shift;
    return 1;
}

/* Whether it can be a name of the tz database; ecl_clock_make knows whether it is one. */
static int is_zone_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "/_+-";
    return *text && *text != '/' && !text[strspn(text, allowed)];
}

static int is_host_name(const char *text)
{
    apr_size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                     ".-_");
    return length > 0 && length <= HOST_NAME_BYTES && !text[length];
}

/* The system's name for this host. */
static const char *own_host_name(apr_pool_t *p)
{
    char name[APRMAXHOSTLEN + 1];

    if (apr_gethostname(name, sizeof name, p) != APR_SUCCESS) {
        return "localhost";
    }
    name[strlen(name) < HOST_NAME_BYTES ? strlen(name) : HOST_NAME_BYTES] = '\0';
    return is_host_name(name) ? apr_pstrdup(p, name) : "localhost";
}

/* Line ends can't be handed to the worker, which reads lines; nothing legitimate has any. */
static int has_control_character(const char *text)
{
    for (; *text; text++) {
        if (apr_iscntrl(*text)) {
            return 1;
        }
    }
    return 0;
}

static int apply_database(ecl_settings_t *settings, apr_pool_t *p, const char *driver,
                          const char *params)
{
    if (!strcmp(driver, "sqlite3")) {
        if (params[0] != '/' || has_control_character(params)) {
            return 0;
        }
    } else if (strcmp(driver, "pgsql") || has_control_character(params)) {
        return 0;
    }
    settings->db_driver = apr_pstrdup(p, driver);
    settings->db_params = apr_pstrdup(p, params);
    return 1;
}

static int apply(ecl_settings_t *settings, apr_pool_t *p, const rule_t *rule, const char *arg1,
                 const char *arg2)
{
    apr_int64_t number;

    switch (rule->kind) {
    case KIND_DATABASE:
        return apply_database(settings, p, arg1, arg2);
    case KIND_PATH:
        if (arg1[0] != '/' || has_control_character(arg1)) {
            return 0;
        }
        *(const char **)field(settings, rule) = apr_pstrdup(p, arg1);
        return 1;
    case KIND_NUMBER:
        if (!ecl_parse_int64(arg1, rule->min, rule->max, &number)) {
            return 0;
        }
        *(int *)field(settings, rule) = (int)number;
        return 1;
    case KIND_SIZE:
        return parse_size(arg1, p, field(settings, rule));
    case KIND_ZONE:
        if (!is_zone_name(arg1)) {
            return 0;
        }
        *(const char **)field(settings, rule) = apr_pstrdup(p, arg1);
        return 1;
    case KIND_FLAG:
        number = !apr_cstr_casecmp(arg1, "on");
        if (!number && apr_cstr_casecmp(arg1, "off")) {
            return 0;
        }
        *(int *)field(settings, rule) = (int)number;
        return 1;
    case KIND_HOST:
        if (!is_host_name(arg1)) {
            return 0;
        }
        *(const char **)field(settings, rule) = apr_pstrdup(p, arg1);
        return 1;
    }
    return 0;
}

const char *ecl_settings_storage_host(const ecl_settings_t *settings)
{
    return settings->storage_shared ? NULL : settings->host_name;
}

ecl_settings_t *ecl_settings_make(apr_pool_t *p)
{
    ecl_settings_t *settings = apr_pcalloc(p, sizeof *settings);

    settings->db_driver = "sqlite3";
    settings->db_params = "/var/lib/eclectyc-import/eclectyc.db";
    settings->host_name = own_host_name(p);
    for (int i = 0; i < NDIRECTIVES; i++) {
        if (directives[i].fallback &&
            !apply(settings, p, &rules[i], directives[i].fallback, NULL)) {
            abort(); /* the table contradicts itself */
        }
    }
    return settings;
}

apr_status_t ecl_settings_set(ecl_settings_t *settings, apr_pool_t *p, const char *name,
                              const char *arg1, const char *arg2, ecl_result_t *result)
{
    int i = find_directive(name);
    const char *shown = arg1;

    if (i < 0) {
        return ecl_fail(result, ECL_EINPUT, "unknown-directive", "there is no directive %s", name);
    }
    if (!arg1 || !arg2 != (directives[i].nargs == 1)) {
        return ecl_fail(
            result, ECL_EINPUT, "wrong-arguments", "%s takes %s: %s", directives[i].name,
            directives[i].nargs == 1 ? "one argument" : "two arguments", directives[i].help);
    }
    if (apply(settings, p, &rules[i], arg1, arg2)) {
        return APR_SUCCESS;
    }
    /* connection parameters may hold a password; a path does not */
    if (arg2 && !strcmp(arg1, "sqlite3")) {
        shown = apr_pstrcat(p, arg1, " ", arg2, NULL);
    }
    return ecl_fail(result, ECL_EINPUT, "wrong-value", "%s: '%s' is not accepted; expected: %s",
                    directives[i].name, shown, directives[i].help);
}

/* --- lines --- */

/* The next word of *pline, as httpd's ap_getword_conf takes it: blanks separate; a word that starts
 * with a quote goes on to the same quote; a backslash takes the specials out of a backslash and of
 * the quote. NULL when there is none. The word is unescaped in place. */
static char *next_word(char **pline)
{
    char *read = *pline, *word, *write;
    char quote = 0;

    while (apr_isspace(*read)) {
        read++;
    }
    if (!*read) {
        *pline = read;
        return NULL;
    }
    if (*read == '"' || *read == '\'') {
        quote = *read++;
    }
    word = write = read;
    while (*read && (quote ? *read != quote : !apr_isspace(*read))) {
        if (*read == '\\' && (read[1] == '\\' || (quote && read[1] == quote))) {
            read++;
        }
        *write++ = *read++;
    }
    *pline = *read ? read + 1 : read;
    *write = '\0';
    return word;
}

/* Cuts the next logical line out of *ptext: a line that ends with a backslash goes on on the next.
 * *pnumber is moved on by the lines taken. NULL at the end. */
static char *next_line(char **ptext, int *pnumber)
{
    char *line = *ptext, *read = line, *write = line;

    if (!*line) {
        return NULL;
    }
    for (;;) {
        apr_size_t length = strcspn(read, "\n");
        int has_end = read[length] == '\n';
        char *next = read + length + has_end;

        if (has_end && length && read[length - 1] == '\r') {
            length--;
        }
        memmove(write, read, length);
        write += length;
        read = next;
        ++*pnumber;
        if (!has_end || !length || write[-1] != '\\') {
            break;
        }
        write--;
    }
    *write = '\0'; /* before read: a line end was taken, or the text's own NUL stands there */
    *ptext = read;
    return line;
}

/* httpd has replaced ${NAME} before it hands settings on; in a file we can't. */
static int has_variable(const char *line)
{
    const char *start = strstr(line, "${");
    return start && strchr(start, '}');
}

static apr_status_t read_line(ecl_settings_t *settings, apr_pool_t *p, char *line, int is_file,
                              ecl_result_t *result)
{
    int is_unresolved = is_file && has_variable(line);
    char *name = next_word(&line);
    char *args[3];

    if (!name || *name == '#' || apr_cstr_casecmpn(name, PREFIX, strlen(PREFIX)) ||
        !apr_cstr_casecmp(name, PREFIX) || !apr_cstr_casecmp(name, PREFIX "AllowAnonymous")) {
        return APR_SUCCESS;
    }
    if (is_unresolved) {
        return ecl_fail(result, ECL_EINPUT, "variable",
                        "%s: only httpd knows what a ${variable} stands for; write it out", name);
    }
    for (int i = 0; i < 3; i++) {
        args[i] = next_word(&line);
    }
    /* one too many: as wrong as a second argument where one is taken */
    return ecl_settings_set(settings, p, name, args[2] ? NULL : args[0], args[1], result);
}

static apr_status_t read_all(char **ptext, apr_pool_t *p, const char *path, ecl_result_t *result)
{
    int is_stdin = !strcmp(path, "-");
    char *text = apr_palloc(p, MAX_FILE_BYTES + 1);
    apr_size_t length = 0;
    apr_file_t *file;
    apr_status_t rv;

    rv = is_stdin ? apr_file_open_stdin(&file, p)
                  : apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, MAX_FILE_BYTES, &length);
        if (!is_stdin) {
            apr_file_close(file);
        }
        rv = APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv == APR_SUCCESS ? APR_EGENERAL : rv;
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, ECL_ECONFIG, "settings-file", "cannot read settings from %s: %s",
                        is_stdin ? "stdin" : path,
                        rv == APR_EGENERAL ? "more than 1 MiB" : ecl_strerror(rv, p));
    }
    if (memchr(text, '\0', length)) {
        return ecl_fail(result, ECL_EINPUT, "settings-file", "%s is not a text file",
                        is_stdin ? "stdin" : path);
    }
    text[length] = '\0';
    *ptext = text;
    return APR_SUCCESS;
}

apr_status_t ecl_settings_read(ecl_settings_t *settings, apr_pool_t *p, const char *path,
                               ecl_result_t *result)
{
    int is_file = strcmp(path, "-") != 0;
    int number = 0, first = 1;
    char *text = NULL, *line;
    apr_pool_t *scratch;
    apr_status_t rv;

    rv = apr_pool_create(&scratch, p);
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "out-of-memory", "cannot make a pool");
    }
    rv = read_all(&text, scratch, path, result);
    while (rv == APR_SUCCESS && (line = next_line(&text, &number))) {
        rv = read_line(settings, p, line, is_file, result);
        if (rv != APR_SUCCESS && result) {
            result->detail = apr_psprintf(result->pool, "%s line %d: %s", is_file ? path : "stdin",
                                          first, result->detail);
        }
        first = number + 1;
    }
    apr_pool_destroy(scratch);
    return rv;
}

/* The word in quotes, such that next_word gives it back. */
static const char *quote_word(const char *word, apr_pool_t *p)
{
    char *quoted = apr_palloc(p, 2 * strlen(word) + 3), *write = quoted;

    *write++ = '"';
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') {
            *write++ = '\\';
        }
        *write++ = *word;
    }
    *write++ = '"';
    *write = '\0';
    return quoted;
}

static const char *value_text(const ecl_settings_t *settings, const rule_t *rule, apr_pool_t *p)
{
    const void *value = const_field(settings, rule);

    switch (rule->kind) {
    case KIND_DATABASE:
        return apr_pstrcat(p, settings->db_driver, " ", quote_word(settings->db_params, p), NULL);
    case KIND_PATH:
    case KIND_ZONE:
    case KIND_HOST:
        return quote_word(*(const char *const *)value, p);
    case KIND_NUMBER:
        return apr_itoa(p, *(const int *)value);
    case KIND_FLAG:
        return *(const int *)value ? "On" : "Off";
    case KIND_SIZE:
        return apr_off_t_toa(p, *(const apr_off_t *)value);
    }
    return "";
}

const char *ecl_settings_text(const ecl_settings_t *settings, apr_pool_t *p)
{
    const char *text = "";

    for (int i = 0; i < NDIRECTIVES; i++) {
        text = apr_pstrcat(p, text, directives[i].name, " ", value_text(settings, &rules[i], p),
                           "\n", NULL);
    }
    return text;
}
