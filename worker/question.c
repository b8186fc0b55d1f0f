#include "question.h"

#include "../lib/options.h"

typedef struct question_t {
    const char *code;
    ecl_option_id_t option;
    const char *text;
    const char *choices[4]; /* some of the option's; none: all that it has */
    int is_given;
} question_t;

static const question_t questions[] = {
    {"no-meter-column", ECL_OPTION_METER, "Which meter are the readings of?", {NULL}, 0},
    {"unit-open", ECL_OPTION_UNIT, "What is the unit of the values?", {NULL}, 0},
    {"date-order-open",
     ECL_OPTION_DATE_ORDER,
     "In which order do the dates have day, month and year?",
     {"dmy", "ymd"},
     0},
    {"cumulative-reads",
     ECL_OPTION_READS,
     "Are the values reads of a register, each of which shows all that was used before?",
     {"register"},
     0},
    {"reads-conflict", ECL_OPTION_READS, "Are the values reads of a register?", {"register"}, 1},
    {"labels-open",
     ECL_OPTION_LABELS,
     "Are the times starts or ends of their periods?",
     {"start", "end"},
     0},
    {"labels-conflict",
     ECL_OPTION_LABELS,
     "Are the times starts or ends of their periods?",
     {"start", "end"},
     1},
    {"timezone-conflict", ECL_OPTION_TIMEZONE, "Which time zone are the times of?", {NULL}, 1},
    {"unit-conflict", ECL_OPTION_UNIT, "What is the unit of the values?", {NULL}, 1},
    {"channel-open",
     ECL_OPTION_CHANNEL,
     "Which channel are the readings to be kept as?",
     {"AE", "AI"},
     0},
    {"channel-conflict", ECL_OPTION_CHANNEL, "Which channel are the readings of?", {NULL}, 1},
    {"meter-conflict", ECL_OPTION_METER, "Which meter are the readings of?", {NULL}, 1},
};

json_object *ecl_question_of(const char *code)
{
    const question_t *question = NULL;
    const char *const *values;
    json_object *object, *choices;

    for (apr_size_t i = 0; code && i < sizeof questions / sizeof questions[0]; i++) {
        question = strcmp(code, questions[i].code) ? question : &questions[i];
    }
    if (!question) {
        return NULL;
    }
    object = json_object_new_object();
    json_object_object_add(object, "option",
                           json_object_new_string(ecl_option_table[question->option].name));
    json_object_object_add(object, "text", json_object_new_string(question->text));
    values = question->choices[0] ? question->choices : ecl_option_table[question->option].choices;
    if (values) {
        choices = json_object_new_array();
        for (int i = 0; values[i]; i++) {
            json_object_array_add(choices, json_object_new_string(values[i]));
        }
        json_object_object_add(object, "choices", choices);
    }
    if (question->is_given) {
        json_object_object_add(object, "given", json_object_new_boolean(1));
    }
    return object;
}
