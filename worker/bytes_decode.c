/*
 * Characters of UTF-8, Windows-1252 and UTF-16 as UTF-8.
 */
#include "bytes_internal.h"

#include "../lib/utf8.h"

/* 0x80 to 0x9F as the WHATWG's index-windows-1252 has them; 0: not defined by Windows. */
static const unsigned short windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/* Also for halves of surrogate pairs: what comes of them is three bytes that are no UTF-8. */
static void encode(unsigned code, ecl_decoded_t *decoded)
{
    char *text = decoded->text;

    if (code < 0x80) {
        text[0] = (char)code;
        decoded->length = 1;
    } else if (code < 0x800) {
        text[0] = (char)(0xC0 | (code >> 6));
        text[1] = (char)(0x80 | (code & 0x3F));
        decoded->length = 2;
    } else if (code < 0x10000) {
        text[0] = (char)(0xE0 | (code >> 12));
        text[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        text[2] = (char)(0x80 | (code & 0x3F));
        decoded->length = 3;
    } else {
        text[0] = (char)(0xF0 | (code >> 18));
        text[1] = (char)(0x80 | ((code >> 12) & 0x3F));
        text[2] = (char)(0x80 | ((code >> 6) & 0x3F));
        text[3] = (char)(0x80 | (code & 0x3F));
        decoded->length = 4;
    }
}

static void hand_on(const char *bytes, apr_size_t length, ecl_decoded_t *decoded)
{
    memcpy(decoded->text, bytes, length);
    decoded->used = decoded->length = length;
}

static void decode_utf8(const char *bytes, apr_size_t length, int is_end, ecl_decoded_t *decoded)
{
    unsigned char byte = (unsigned char)bytes[0];
    apr_size_t step = ecl_utf8_character(bytes, length);

    if (step) {
        hand_on(bytes, step, decoded);
        decoded->is_text = 1;
        return;
    }
    if (!is_end && ecl_utf8_is_cut(bytes, length)) {
        return;
    }
    if (byte >= 0xA0 || (byte >= 0x80 && windows_1252[byte - 0x80])) {
        encode(byte >= 0xA0 ? byte : windows_1252[byte - 0x80], decoded);
        decoded->used = 1;
        decoded->is_text = decoded->is_other = 1;
        return;
    }
    hand_on(bytes, 1, decoded);
}

static unsigned unit(const char *bytes, int is_big)
{
    unsigned first = (unsigned char)bytes[0], second = (unsigned char)bytes[1];

    return is_big ? first << 8 | second : second << 8 | first;
}

static void decode_utf16(const char *bytes, apr_size_t length, int is_big, int is_end,
                         ecl_decoded_t *decoded)
{
    unsigned code, low;

    if (length < 2) {
        if (is_end) {
            encode(0xDC00, decoded); /* half a unit: no character, and not to be passed over */
            decoded->used = 1;
        }
        return;
    }
    code = unit(bytes, is_big);
    if (code >= 0xD800 && code < 0xDC00) {
        if (length < 4 && !is_end) {
            return;
        }
        low = length < 4 ? 0 : unit(bytes + 2, is_big);
        if (low >= 0xDC00 && low < 0xE000) {
            encode(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), decoded);
            decoded->used = 4;
            decoded->is_text = 1;
            return;
        }
    }
    encode(code, decoded);
    decoded->used = 2;
    decoded->is_text = code && (code < 0xD800 || code > 0xDFFF);
}

void ecl_decode(ecl_encoding_t encoding, const char *bytes, apr_size_t length, int is_end,
                ecl_decoded_t *decoded)
{
    *decoded = (ecl_decoded_t){0};
    switch (encoding) {
    case ECL_ENCODING_UTF16LE:
    case ECL_ENCODING_UTF16BE:
        decode_utf16(bytes, length, encoding == ECL_ENCODING_UTF16BE, is_end, decoded);
        return;
    case ECL_ENCODING_UTF16_DAMAGED:
        if (!bytes[0]) {
            decoded->used = 1;
            decoded->is_text = 1;
            return;
        }
        break;
    default:
        break;
    }
    decode_utf8(bytes, length, is_end, decoded);
}
