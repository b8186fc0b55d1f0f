/*
 * A paragraph on the page of mod_status: the queue as the worker last saw it.
 */
#ifndef ECL_STATUS_HOOK_H
#define ECL_STATUS_HOOK_H

/* Registers the hook; harmless where mod_status is not loaded. */
void ecl_status_hook_register(void);

#endif /* ECL_STATUS_HOOK_H */
