/*
 * The worker program as a child of the server: started after the configuration was read, restarted
 * with a growing delay when it dies, stopped with the server and at every reload.
 */
#ifndef ECL_SUPERVISE_H
#define ECL_SUPERVISE_H

#include <httpd.h>

/* Registers the hooks. */
void ecl_supervise_register(apr_pool_t *p);

#endif /* ECL_SUPERVISE_H */
