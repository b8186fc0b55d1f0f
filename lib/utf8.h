/*
 * Is it text? Checks and repairs UTF-8 before anything else looks at a file's bytes.
 */
#ifndef ECL_UTF8_H
#define ECL_UTF8_H

#include "ecl.h"

/* 1 when all bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF) without a NUL, which no text file holds and no C string can carry. */
int ecl_utf8_is_text(const char *bytes, apr_size_t length);

/* How many bytes from the first on are such text: all of them, or those before the first character
 * that is not, or that is cut off. */
apr_size_t ecl_utf8_prefix(const char *bytes, apr_size_t length);

/* The length of the well-formed character that bytes (at least one) begin with; 0: none, or NUL. */
apr_size_t ecl_utf8_character(const char *bytes, apr_size_t length);

/* 1 when bytes (at least one) are the beginning of a well-formed character, and no more. */
int ecl_utf8_is_cut(const char *bytes, apr_size_t length);

/* How many bytes of text, `max` at most, print as whole characters; for "%.*s" through the macro.
 */
int ecl_utf8_cut(const char *text, apr_size_t max);
#define ECL_CUT(max, text) ecl_utf8_cut((text), (max)), (text)

/* Copies bytes to text, every byte that is not part of a well-formed character (and every NUL) as
 * U+FFFD; NUL-terminates; returns the length of text. text has room for 3 × length + 1 bytes. */
apr_size_t ecl_utf8_repair(const char *bytes, apr_size_t length, char *text);

#endif /* ECL_UTF8_H */
