#include "utf8.h"

#define ONES APR_UINT64_C(0x0101010101010101)
#define HIGHS APR_UINT64_C(0x8080808080808080)

/* The length of the well-formed character at s, of which `left` bytes are there and all that are
 * there are right; 0: none. The table of RFC 3629, section 4. */
static apr_size_t begin_character(const unsigned char *s, apr_size_t left)
{
    unsigned char low = 0x80, high = 0xBF; /* the range of the second byte */
    apr_size_t length, i;

    if (s[0] < 0x80) {
        return s[0] != 0;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        length = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        length = 3;
        low = s[0] == 0xE0 ? 0xA0 : low;
        high = s[0] == 0xED ? 0x9F : high;
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        length = 4;
        low = s[0] == 0xF0 ? 0x90 : low;
        high = s[0] == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (left > 1 && (s[1] < low || s[1] > high)) {
        return 0;
    }
    for (i = 2; i < length && i < left; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static apr_size_t character(const unsigned char *s, apr_size_t left)
{
    apr_size_t length = begin_character(s, left);

    return length <= left ? length : 0;
}

apr_size_t ecl_utf8_character(const char *bytes, apr_size_t length)
{
    return character((const unsigned char *)bytes, length);
}

int ecl_utf8_is_cut(const char *bytes, apr_size_t length)
{
    return begin_character((const unsigned char *)bytes, length) > length;
}

apr_size_t ecl_utf8_prefix(const char *bytes, apr_size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    apr_size_t at = 0;

    while (at < length) {
        apr_size_t step;

        /* meter files are ASCII but for a £ or a name: pass over eight bytes at a time */
        while (length - at >= 8) {
            apr_uint64_t word;

            memcpy(&word, s + at, 8);
            if ((word | ((word - ONES) & ~word)) & HIGHS) {
                break;
            }
            at += 8;
        }
        if (at == length) {
            break;
        }
        step = character(s + at, length - at);
        if (!step) {
            break;
        }
        at += step;
    }
    return at;
}

int ecl_utf8_is_text(const char *bytes, apr_size_t length)
{
    return ecl_utf8_prefix(bytes, length) == length;
}

apr_size_t ecl_utf8_repair(const char *bytes, apr_size_t length, char *text)
{
    const unsigned char *s = (const unsigned char *)bytes;
    apr_size_t at = 0, out = 0;

    while (at < length) {
        apr_size_t step = character(s + at, length - at);

        if (step) {
            memcpy(text + out, s + at, step);
            out += step;
            at += step;
        } else {
            memcpy(text + out, "\xEF\xBF\xBD", 3);
            out += 3;
            at++;
        }
    }
    text[out] = '\0';
    return out;
}

int ecl_utf8_cut(const char *text, apr_size_t max)
{
    apr_size_t length = 0;

    while (length < max && text[length]) {
        length++;
    }
    /* text[length] is not part of it: does it continue a character that is? */
    while (length && (text[length] & 0xc0) == 0x80) {
        length--;
    }
    return (int)length;
}
