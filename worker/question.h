/*
 * What a user can be asked about a file that was refused: the failures that an option
 * (lib/options.h) settles, and the question in words.
 */
#ifndef ECL_QUESTION_H
#define ECL_QUESTION_H

#include <json-c/json.h>

#include "../lib/ecl.h"

/* The question for a failure's code:
 *   option   its name
 *   text     the question, a sentence
 *   choices  the values to choose from; absent: a text is asked for
 *   given    true when the option was given and is what is wrong: then it may be taken back ("")
 * NULL: no option settles it. The caller owns it. */
json_object *ecl_question_of(const char *code);

#endif /* ECL_QUESTION_H */
