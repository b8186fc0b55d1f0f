/*
 * For every file of the module that talks to httpd, except mod_eclectyc_import.c (whose
 * AP_DECLARE_MODULE says the same): which module its log lines and configuration belong to.
 */
#ifndef ECL_PRIVATE_H
#define ECL_PRIVATE_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "../lib/log.h"

extern module AP_MODULE_DECLARE_DATA eclectyc_import_module;
APLOG_USE_MODULE(eclectyc_import);

#endif /* ECL_PRIVATE_H */
