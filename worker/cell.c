#include "cell.h"

int ecl_cell_is_missing(const char *text, const char *end)
{
    static const char *const words[] = {"-",    "null",    "nan",     "n/a",
                                        "#n/a", "#value!", "#div/0!", "#ref!"};
    apr_size_t i;

    if (text == end) {
        return 1;
    }
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        if (ecl_cell_is(text, end, words[i])) {
            return 1;
        }
    }
    return 0;
}
