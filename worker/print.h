/*
 * Text for people at a terminal.
 */
#ifndef ECL_PRINT_H
#define ECL_PRINT_H

#include "../lib/ecl.h"

/* 1234567 → "1,234,567". */
const char *ecl_print_count(apr_int64_t number, apr_pool_t *p);

/* Text that came out of a file or from a user, without what would steer a terminal; NULL → "". */
const char *ecl_print_safe(const char *text, apr_pool_t *p);

#endif /* ECL_PRINT_H */
