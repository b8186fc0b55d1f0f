#include "jobs_fixture.h"

#include "lib/import_templates.h"

#define HEADER "\"fingerprint\":\"aa11\""

static ecl_job_t *job_with(fixture_t *f, const char *options, const char *summary)
{
    ecl_job_new_t wanted = {.user_name = "alice", .filename = "a.csv"};
    ecl_job_t *job = create(f, &wanted);

    sql(f,
        "UPDATE import_jobs SET status = 'completed', options = '%s', summary = '{%s}'"
        " WHERE id = %d",
        options, summary, (int)job->id);
    return get(f, job);
}

static apr_status_t save(fixture_t *f, const ecl_job_t *job, const char *name,
                         ecl_import_template_t **ptemplate)
{
    return ecl_import_template_save(f->conn, job, name, "alice", f->p, ptemplate, &f->result);
}

static const char *text_of(json_object *options)
{
    return json_object_to_json_string_ext(options, JSON_C_TO_STRING_PLAIN);
}

static void test_save_and_find(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = job_with(f, "{\"meter\":\"M 1\",\"unit\":\"Wh\"}", HEADER);
    ecl_import_template_t *saved, *found;

    OK(save(f, job, "  The portal \n", &saved));
    OK(ecl_import_template_find(f->conn, "aa11", f->p, &found, &f->result));
    assert_int_equal(found->id, saved->id);
    assert_string_equal(found->name, "The portal");
    assert_string_equal(text_of(found->options), "{\"unit\":\"Wh\"}"); /* never the meter */
    assert_string_equal(found->created_by, "alice");
    assert_int_equal(found->uses, 0);
    assert_int_equal(found->last_used_at, 0);
    OK(ecl_import_template_used(f->conn, saved->id, &f->result));
    OK(ecl_import_template_find(f->conn, "aa11", f->p, &found, &f->result));
    assert_int_equal(found->uses, 1);
    assert_true(found->last_used_at >= found->created_at);
    OK(ecl_import_template_find(f->conn, "bb22", f->p, &found, &f->result));
    assert_null(found);
}

/* A header has one template: the newer one, with what the job had from the older one. */
static void test_save_again(void **state)
{
    fixture_t *f = *state;
    ecl_import_template_t *first, *again, **all;
    int count;

    OK(save(f, job_with(f, "{\"unit\":\"Wh\"}", HEADER), "A", &first));
    OK(save(f,
            job_with(f, "{\"labels\":\"end\"}",
                     HEADER ",\"template\":{\"name\":\"A\",\"options\":{\"unit\":\"Wh\"}}"),
            "B", &again));
    assert_string_equal(text_of(again->options), "{\"labels\":\"end\",\"unit\":\"Wh\"}");
    OK(ecl_import_template_list(f->conn, f->p, &all, &count, &f->result));
    assert_int_equal(count, 1);
    assert_string_equal(all[0]->name, "B");
}

static void test_nothing_to_save(void **state)
{
    static const char *const jobs[][2] = {{"{\"meter\":\"M 1\"}", HEADER},
                                          {"{\"unit\":\"Wh\"}", "\"fingerprint\":null"},
                                          {"{\"unit\":\"Wh\"}", ""}};
    fixture_t *f = *state;
    ecl_import_template_t *template;
    ecl_job_t *job;

    for (int i = 0; i < 3; i++) {
        job = job_with(f, jobs[i][0], jobs[i][1]);
        assert_false(ecl_import_template_is_saveable(job));
        FAILS(save(f, job, "A", &template), ECL_ECONFLICT, "nothing-to-save");
    }
    job = job_with(f, "{\"unit\":\"Wh\"}", HEADER);
    assert_true(ecl_import_template_is_saveable(job));
    job->status = ECL_JOB_FAILED;
    assert_false(ecl_import_template_is_saveable(job));
}

static void test_names(void **state)
{
    fixture_t *f = *state;
    ecl_import_template_t *a, *b, *renamed, **all;
    ecl_job_t *other = job_with(f, "{\"unit\":\"Wh\"}", "\"fingerprint\":\"bb22\"");
    char longest[ECL_IMPORT_TEMPLATE_NAME + 2];
    int count;

    memset(longest, 'x', sizeof longest);
    longest[ECL_IMPORT_TEMPLATE_NAME + 1] = '\0';
    OK(save(f, job_with(f, "{\"unit\":\"Wh\"}", HEADER), "A", &a));
    FAILS(save(f, other, "A", &b), ECL_ECONFLICT, "name-used");
    FAILS(save(f, other, " ", &b), ECL_EINPUT, "bad-name");
    FAILS(save(f, other, "a\nb", &b), ECL_EINPUT, "bad-name");
    FAILS(save(f, other, "\xff", &b), ECL_EINPUT, "bad-name");
    FAILS(save(f, other, longest, &b), ECL_EINPUT, "bad-name");
    OK(save(f, other, longest + 1, &b));
    OK(ecl_import_template_rename(f->conn, b->id, "B", "bob", f->p, &renamed, &f->result));
    assert_string_equal(renamed->name, "B");
    OK(ecl_import_template_rename(f->conn, b->id, "B", "bob", f->p, &renamed, &f->result));
    FAILS(ecl_import_template_rename(f->conn, b->id, "A", "bob", f->p, &renamed, &f->result),
          ECL_ECONFLICT, "name-used");
    FAILS(ecl_import_template_rename(f->conn, 99, "C", "bob", f->p, &renamed, &f->result),
          ECL_ENOTFOUND, "template-not-found");
    OK(ecl_import_template_delete(f->conn, a->id, "bob", &f->result));
    FAILS(ecl_import_template_delete(f->conn, a->id, "bob", &f->result), ECL_ENOTFOUND,
          "template-not-found");
    OK(ecl_import_template_used(f->conn, a->id, &f->result)); /* by an import that was under way */
    OK(ecl_import_template_list(f->conn, f->p, &all, &count, &f->result));
    assert_int_equal(count, 1);
    assert_int_equal(all[0]->id, b->id);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_save_and_find), TEST(test_save_again),
                                       TEST(test_nothing_to_save), TEST(test_names)};

    return RUN_FOR_EACH_DATABASE(tests);
}
