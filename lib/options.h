/*
 * What a user may say about a file that the file itself does not say: one table of names, which are
 * the same in the upload form, a query, the command line and in a job's options.
 *
 * A set of options is an array of ECL_OPTIONS texts by ecl_option_id_t; NULL: not given. A job
 * keeps it as a JSON object of texts, which has the names that were given.
 */
#ifndef ECL_OPTIONS_H
#define ECL_OPTIONS_H

#include <json-c/json.h>

#include "ecl.h"

/* id, name, accepted values (NULL: a text, see ecl_option_check), what it is for */
#define ECL_OPTION_TABLE(X)                                                                        \
    X(METER, "meter", NULL, "the meter, for files that name none")                                 \
    X(LABELS, "labels", ECL_CHOICES("start", "end"),                                               \
      "whether times are the starts or the ends of their periods")                                 \
    X(TIMEZONE, "timezone", NULL, "the zone of local times, such as Europe/London or UTC")         \
    X(UNIT, "unit", ECL_CHOICES("kWh", "Wh", "MWh", "kVArh", "kW", "m3", "ft3", "hcf"),            \
      "the unit of the values")                                                                    \
    X(CHANNEL, "channel", ECL_CHOICES("AI", "AE", "RI", "RE"),                                     \
      "active or reactive (A, R), import or export (I, E)")                                        \
    X(DATE_ORDER, "date_order", ECL_CHOICES("dmy", "mdy", "ymd"),                                  \
      "the order of day, month and year in dates")                                                 \
    X(ESTIMATES, "estimates", ECL_CHOICES("keep-actual", "replace"),                               \
      "whether estimated readings replace actual ones")                                            \
    X(READS, "reads", ECL_CHOICES("register"),                                                     \
      "whether values are reads of a register, to be subtracted from each other")

typedef enum ecl_option_id_t {
#define ECL_OPTION_ID(id, name, choices, help) ECL_OPTION_##id,
    ECL_OPTION_TABLE(ECL_OPTION_ID)
#undef ECL_OPTION_ID
        ECL_OPTIONS
} ecl_option_id_t;

typedef struct ecl_option_t {
    const char *name;
    const char *const *choices; /* NULL-terminated, as they are kept; NULL: a text */
    const char *help;           /* a few words */
} ecl_option_t;

extern const ecl_option_t ecl_option_table[ECL_OPTIONS];

#define ECL_OPTION_MAX 99 /* most bytes of a text */

/* The option of that name; -1: there is none. */
int ecl_option_find(const char *name);

/* Checks a value and gives it as it is kept (a choice in the table's spelling, whatever its letter
 * case; a text without blanks around it, of timezone a zone that is known), allocated from
 * result->pool. "" gives NULL: a form sends all its fields. ECL_EINPUT, code "bad-option", names
 * the option, the value and what is accepted.
 */
apr_status_t ecl_option_check(int id, const char *text, const char **pvalue, ecl_result_t *result);

/* The names of all options, for messages: "meter, estimates". Allocated from p. */
const char *ecl_option_names(apr_pool_t *p);

/* An object of what was given; NULL when nothing was. The caller owns it. */
json_object *ecl_options_json(const char *const values[ECL_OPTIONS]);

/* The reverse. options may be NULL. The texts live as long as it does and is not changed. */
void ecl_options_read(json_object *options, const char *values[ECL_OPTIONS]);

#endif /* ECL_OPTIONS_H */
