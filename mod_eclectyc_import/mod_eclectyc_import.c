#include <httpd.h>
#include <http_config.h>

AP_DECLARE_MODULE(eclectyc_import) __attribute__((visibility("default")));
