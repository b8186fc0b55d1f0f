/*
 * Who may, and what browsers are told.
 */
#ifndef ECL_GUARD_H
#define ECL_GUARD_H

#include "request.h"

/* Sets the security headers of every answer; they survive errors and 304s. */
void ecl_guard_headers(request_rec *r);

/* OK, or an answer has been sent and this is what the handler returns: nobody is logged in, or a
 * page of another site sent a request that changes something. */
int ecl_guard_check(ecl_request_t *q, int *prefused);

#endif /* ECL_GUARD_H */
