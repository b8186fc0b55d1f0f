/*
 * The calls of the API location. docs/api.md describes them.
 */
#ifndef ECL_API_H
#define ECL_API_H

#include "request.h"

ecl_handler_fn ecl_api_list;
ecl_handler_fn ecl_api_create;
ecl_handler_fn ecl_api_job;
ecl_handler_fn ecl_api_errors;
ecl_handler_fn ecl_api_status;

#endif /* ECL_API_H */
