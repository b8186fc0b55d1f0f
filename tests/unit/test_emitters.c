/*
 * Files in the layouts of some ninety emitters: each is read to the readings that were written into
 * it, without a word of configuration; in whatever pieces its bytes come, and in whatever order its
 * rows stand.
 */
#include "reading.h"

#include "half_hours.h"

#include "emitting.h"

#include "emitters.h"

#include "worker/reader_internal.h"

#define EMITTERS (sizeof(emitters) / sizeof(emitters[0]))

static reading_t *read_emitted(const emitter_t *e, const char *text)
{
    reading_t *r = make_reading();

    r->import_type = e->import_type ? e->import_type : "auto";
    write_file(r, text, strlen(text));
    read_file(r);
    return r;
}

static int is_as_emitted(const reading_t *r, const emitted_t *at)
{
    const char *name = at->emitter->name;
    half_hours_t found;

    if (r->status != APR_SUCCESS) {
        print_error("%s: refused: %s\n", name, r->result.detail);
        return 0;
    }
    if (r->errors->nelts) {
        print_error("%s: %d rows failed, the first on line %d: %s\n", name, r->errors->nelts,
                    (int)error_at(r, 0)->line, error_at(r, 0)->message);
        return 0;
    }
    found = half_hours_of(r, r->pool);
    if (!same_half_hours(name, &found, &at->expected)) {
        print_error("  %s\n", r->layout->evidence);
        return 0;
    }
    return 1;
}

static void test_every_emitter(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        apr_pool_t *p;
        emitted_t at;
        reading_t *r;

        apr_pool_create(&p, NULL);
        at = emit(&emitters[i], p);
        r = read_emitted(&emitters[i], emitted_file(&at));
        bad += !is_as_emitted(r, &at);
        end_reading(r);
        apr_pool_destroy(p);
    }
    print_message("%d emitters\n", (int)EMITTERS);
    assert_int_equal(bad, 0);
}

static void shuffle(apr_array_header_t *rows, unsigned *seed)
{
    const char **all = (const char **)rows->elts;

    for (int i = rows->nelts - 1; i > 0; i--) {
        int other = (int)((*seed = *seed * 1103515245u + 12345u) >> 16) % (i + 1);
        const char *row = all[i];

        all[i] = all[other];
        all[other] = row;
    }
}

static void test_the_order_of_rows_does_not_matter(void **state)
{
    unsigned seed = 20260602;
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        apr_pool_t *p;
        emitted_t at;
        reading_t *r;

        apr_pool_create(&p, NULL);
        at = emit(&emitters[i], p);
        shuffle(at.rows, &seed);
        r = read_emitted(&emitters[i], emitted_file(&at));
        bad += !is_as_emitted(r, &at);
        end_reading(r);
        apr_pool_destroy(p);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_emitter),
        cmocka_unit_test(test_the_order_of_rows_does_not_matter),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
