/* The upload directory: a part file becomes a stored file, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>

#include "directory.h"
#include "start_apr.h"
#include "succeeding.h"
#include "lib/storage.h"

#define ID "01234567-89ab-cdef-0123-456789abcdef"
#define OTHER_ID "fedcba98-89ab-cdef-0123-456789abcdef"

typedef struct fixture_t {
    apr_pool_t *p;
    char base[64];
    const char *dir; /* in base, not made yet */
    ecl_result_t result;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    make_directory(f->base, sizeof f->base);
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->dir = apr_pstrcat(f->p, f->base, "/storage", NULL);
    f->result = ecl_result_make(f->p);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    apr_pool_destroy(f->p);
    remove_directory(f->base);
    free(f);
    return 0;
}

static int count_entries(fixture_t *f, const char *name)
{
    DIR *directory = opendir(apr_pstrcat(f->p, f->dir, "/", name, NULL));
    struct dirent *entry;
    int n = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        n += entry->d_name[0] != '.';
    }
    closedir(directory);
    return n;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static const char *in_storage(fixture_t *f, const char *name)
{
    return apr_pstrcat(f->p, f->dir, "/", name, NULL);
}

static void store(fixture_t *f, const char *id, const char *text)
{
    ecl_storage_part_t *part;
    char sha256[ECL_SHA256_HEX];

    OK(ecl_storage_part_open(&part, f->dir, f->p, &f->result));
    OK(ecl_storage_part_write(part, text, strlen(text), &f->result));
    OK(ecl_storage_part_keep(part, id, sha256, &f->result));
}

static void test_prepare_makes_private_directories(void **state)
{
    fixture_t *f = *state;
    apr_off_t free_bytes = -1;

    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    assert_int_equal(mode_of(f->dir), 0700);
    assert_int_equal(mode_of(in_storage(f, "incoming")), 0700);
    assert_int_equal(mode_of(in_storage(f, "files")), 0700);
    OK(ecl_storage_free_bytes(f->dir, &free_bytes, f->p, &f->result));
    assert_true(free_bytes >= 0);
    assert_int_not_equal(
        ecl_storage_free_bytes(in_storage(f, "none"), &free_bytes, f->p, &f->result), APR_SUCCESS);
}

static void test_prepare_says_what_is_wrong(void **state)
{
    fixture_t *f = *state;
    const char *no_parent = in_storage(f, "none");
    int fd = open(f->dir, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), is_root = geteuid() == 0;

    close(fd);
    assert_int_equal(ecl_storage_prepare(f->dir, f->p, &f->result), ECL_ECONFIG);
    assert_non_null(strstr(f->result.detail, "Not a directory"));
    unlink(f->dir);

    assert_int_equal(ecl_storage_prepare(no_parent, f->p, &f->result), ECL_ECONFIG);
    assert_non_null(strstr(f->result.detail, no_parent));
    assert_non_null(strstr(f->result.detail, "EclectycImportStorage"));

    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    assert_int_equal(chmod(in_storage(f, "files"), 0500), 0);
    if (is_root) { /* who may write anything */
        assert_int_equal(chmod(f->base, 0755) | chmod(f->dir, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    assert_int_equal(ecl_storage_prepare(f->dir, f->p, &f->result), ECL_ECONFIG);
    assert_non_null(strstr(f->result.detail, "Permission denied"));
    assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(chmod(in_storage(f, "files"), 0700), 0);
}

/* FIPS 180-2, appendix B: the digests of "abc" and of a million times "a". */
static void test_part_becomes_a_stored_file(void **state)
{
    fixture_t *f = *state;
    ecl_storage_part_t *part;
    char sha256[ECL_SHA256_HEX], text[8] = "";
    const char *path;
    char *million = apr_palloc(f->p, 1000000);
    struct stat st;
    int fd;

    /* the directories need not be there */
    assert_int_equal(mkdir(f->dir, 0700), 0);
    OK(ecl_storage_part_open(&part, f->dir, f->p, &f->result));
    assert_int_equal(count_entries(f, "incoming"), 1);
    OK(ecl_storage_part_write(part, "a", 1, &f->result));
    OK(ecl_storage_part_write(part, "", 0, &f->result));
    OK(ecl_storage_part_write(part, "bc", 2, &f->result));
    assert_int_equal(ecl_storage_part_size(part), 3);
    OK(ecl_storage_part_keep(part, ID, sha256, &f->result));
    assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(count_entries(f, "incoming"), 0);
    path = ecl_storage_path(f->dir, ID, f->p);
    assert_string_equal(path, in_storage(f, "files/" ID));
    assert_int_equal(mode_of(path), 0600);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 3);
    close(fd);
    assert_string_equal(text, "abc");
    ecl_storage_part_drop(part);
    assert_int_equal(access(path, F_OK), 0);

    memset(million, 'a', 1000000);
    OK(ecl_storage_part_open(&part, f->dir, f->p, &f->result));
    OK(ecl_storage_part_write(part, million, 1000000, &f->result));
    OK(ecl_storage_part_keep(part, OTHER_ID, sha256, &f->result));
    assert_string_equal(sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_int_equal(stat(ecl_storage_path(f->dir, OTHER_ID, f->p), &st), 0);
    assert_int_equal(st.st_size, 1000000);
}

/* The path of the one part there is. */
static const char *only_part(fixture_t *f)
{
    DIR *directory = opendir(in_storage(f, "incoming"));
    const char *path = NULL;
    struct dirent *entry;

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            assert_null(path);
            path = apr_pstrcat(f->p, in_storage(f, "incoming/"), entry->d_name, NULL);
        }
    }
    closedir(directory);
    assert_non_null(path);
    return path;
}

static ecl_storage_part_t *part_beside(fixture_t *f, apr_pool_t *p)
{
    ecl_storage_part_t *part;

    OK(ecl_storage_part_open(&part, f->dir, p, &f->result));
    OK(ecl_storage_part_hash_beside(part, &f->result));
    return part;
}

static void test_part_is_hashed_beside(void **state)
{
    fixture_t *f = *state;
    char sha256[ECL_SHA256_HEX], *million = apr_palloc(f->p, 1000000);
    ecl_storage_part_t *part = part_beside(f, f->p);
    struct stat st;

    memset(million, 'a', 1000000);
    for (int at = 0, length = 1; at < 1000000; at += length) {
        length = length * 3 < 1000000 - at ? length * 3 : 1000000 - at;
        OK(ecl_storage_part_write(part, million, (apr_size_t)length, &f->result));
    }
    OK(ecl_storage_part_place(part, ID, &f->result));
    assert_int_equal(count_entries(f, "incoming"), 0);
    assert_int_equal(stat(ecl_storage_path(f->dir, ID, f->p), &st), 0);
    assert_int_equal(st.st_size, 1000000);
    assert_int_equal(ecl_storage_part_write(part, "x", 1, &f->result), APR_EINVAL);
    assert_int_equal(ecl_storage_part_place(part, OTHER_ID, &f->result), APR_EINVAL);
    OK(ecl_storage_part_keep(part, ID, sha256, &f->result));
    assert_string_equal(sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_int_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_EINVAL);
    assert_int_equal(count_entries(f, "files"), 1);

    part = part_beside(f, f->p);
    OK(ecl_storage_part_keep(part, OTHER_ID, sha256, &f->result));
    assert_string_equal(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* What others can read already is gone all the same. */
static void test_placed_part_that_is_not_kept_is_removed(void **state)
{
    fixture_t *f = *state;
    char sha256[ECL_SHA256_HEX];
    ecl_storage_part_t *part;
    apr_pool_t *p;

    apr_pool_create(&p, f->p);
    for (int is_dropped = 0; is_dropped < 2; is_dropped++) {
        part = part_beside(f, p);
        OK(ecl_storage_part_write(part, "abc", 3, &f->result));
        OK(ecl_storage_part_place(part, ID, &f->result));
        assert_int_equal(count_entries(f, "files"), 1);
        if (is_dropped) {
            ecl_storage_part_drop(part);
        } else {
            apr_pool_clear(p);
        }
        assert_int_equal(count_entries(f, "files"), 0);
    }
    assert_int_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_EINVAL);

    /* given up in the middle: the other thread still waits for more */
    part = part_beside(f, p);
    OK(ecl_storage_part_write(part, "abc", 3, &f->result));
    apr_pool_destroy(p);
    assert_int_equal(count_entries(f, "incoming"), 0);
}

/* The digest is of what the file holds: no name is given to anything else. */
static void test_part_that_cannot_be_read_back_is_not_kept(void **state)
{
    fixture_t *f = *state;
    ecl_storage_part_t *part;
    char sha256[ECL_SHA256_HEX];

    FILE *file;

    part = part_beside(f, f->p);
    OK(ecl_storage_part_write(part, "abc", 3, &f->result));
    file = fopen(only_part(f), "a");
    assert_non_null(file);
    assert_true(fputs("de", file) >= 0);
    fclose(file);
    assert_int_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_EGENERAL);
    assert_non_null(strstr(f->result.detail, "has 5 bytes; 3 were written"));
    assert_int_equal(count_entries(f, "files") + count_entries(f, "incoming"), 0);

    OK(ecl_storage_part_open(&part, f->dir, f->p, &f->result));
    assert_int_equal(unlink(only_part(f)), 0);
    assert_true(APR_STATUS_IS_ENOENT(ecl_storage_part_hash_beside(part, &f->result)));
    assert_int_not_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_SUCCESS);
}

static void test_part_that_is_not_kept_is_removed(void **state)
{
    fixture_t *f = *state;
    ecl_storage_part_t *part;
    char sha256[ECL_SHA256_HEX];
    apr_pool_t *p;

    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    apr_pool_create(&p, f->p);
    OK(ecl_storage_part_open(&part, f->dir, p, &f->result));
    OK(ecl_storage_part_write(part, "abc", 3, &f->result));
    apr_pool_clear(p);
    assert_int_equal(count_entries(f, "incoming"), 0);

    OK(ecl_storage_part_open(&part, f->dir, p, &f->result));
    ecl_storage_part_drop(part);
    assert_int_equal(count_entries(f, "incoming"), 0);
    assert_int_equal(ecl_storage_part_write(part, "x", 1, &f->result), APR_EINVAL);
    assert_int_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_EINVAL);

    /* keeping fails: nothing is left in either place */
    OK(ecl_storage_part_open(&part, f->dir, p, &f->result));
    assert_int_equal(rmdir(in_storage(f, "files")), 0);
    assert_int_not_equal(ecl_storage_part_keep(part, ID, sha256, &f->result), APR_SUCCESS);
    assert_int_equal(count_entries(f, "incoming"), 0);
    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    OK(ecl_storage_part_open(&part, f->dir, p, &f->result));
    assert_int_equal(ecl_storage_part_keep(part, "../" ID, sha256, &f->result), APR_EINVAL);
    assert_int_equal(count_entries(f, "incoming"), 0);
    assert_int_equal(count_entries(f, "files"), 0);
    apr_pool_destroy(p);
}

/* In a child: its number says where it went wrong; 0 nowhere, 77 the machine does not allow it. */
static int fill_up_once(fixture_t *f, int is_beside)
{
    ecl_storage_part_t *part;
    char block[4096] = {0}, sha256[ECL_SHA256_HEX];
    apr_status_t rv = ecl_storage_part_open(&part, f->dir, f->p, &f->result);
    apr_off_t before = -1;

    if (rv == APR_SUCCESS && is_beside) {
        rv = ecl_storage_part_hash_beside(part, &f->result);
    }
    if (rv != APR_SUCCESS) {
        return 1;
    }
    while (rv == APR_SUCCESS && ecl_storage_part_size(part) != before) {
        before = ecl_storage_part_size(part);
        rv = ecl_storage_part_write(part, block, 4000, &f->result);
    }
    if (rv != ECL_ENOSPACE || strcmp(f->result.code, "storage-full")) {
        return 2;
    }
    if (ecl_storage_part_write(part, block, 1, &f->result) != APR_EINVAL) {
        return 3;
    }
    if (ecl_storage_part_keep(part, ID, sha256, &f->result) == APR_SUCCESS) {
        return 4;
    }
    return count_entries(f, "incoming") + count_entries(f, "files") ? 5 : 0;
}

static int fill_up(fixture_t *f)
{
    int failed = fill_up_once(f, 0);

    return failed ? failed : fill_up_once(f, 1);
}

static int run_child(fixture_t *f, int (*run)(fixture_t *f))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        _exit(run(f));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int fill_up_tmpfs(fixture_t *f)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", f->dir, "tmpfs", 0, "size=256k") != 0) {
        return 77;
    }
    return fill_up(f);
}

static void test_full_disk(void **state)
{
    fixture_t *f = *state;
    int status;

    assert_int_equal(mkdir(f->dir, 0700), 0);
    status = run_child(f, fill_up_tmpfs);
    if (status == 77) {
        print_message("skipped: no small file system can be mounted here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static int exceed_limit(fixture_t *f)
{
    struct rlimit limit = {10000, 10000};
    char block[15000] = {0};
    ecl_storage_part_t *part;

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) ||
        ecl_storage_part_open(&part, f->dir, f->p, &f->result) != APR_SUCCESS) {
        return 1;
    }
    /* the system takes the first 10,000 bytes and says so: that is no success */
    if (ecl_storage_part_write(part, block, sizeof block, &f->result) != ECL_ENOSPACE) {
        return 2;
    }
    ecl_storage_part_drop(part);
    return count_entries(f, "incoming") ? 3 : fill_up(f);
}

static void test_limit_on_file_size(void **state)
{
    fixture_t *f = *state;

    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    assert_int_equal(run_child(f, exceed_limit), 0);
}

static void test_removal(void **state)
{
    fixture_t *f = *state;

    store(f, ID, "abc");
    store(f, OTHER_ID, "abc");
    OK(ecl_storage_remove(f->dir, ID, f->p, &f->result));
    assert_int_not_equal(access(ecl_storage_path(f->dir, ID, f->p), F_OK), 0);
    assert_int_equal(access(ecl_storage_path(f->dir, OTHER_ID, f->p), R_OK), 0);
    OK(ecl_storage_remove(f->dir, ID, f->p, &f->result));
    assert_int_equal(ecl_storage_remove(f->dir, "../incoming", f->p, &f->result), APR_EINVAL);
}

typedef struct asked_t {
    int known, unsure, other;
} asked_t;

static int is_known(void *baton, const char *name)
{
    asked_t *asked = baton;

    if (!strcmp(name, "known")) {
        asked->known++;
        return 1;
    }
    if (!strcmp(name, "unsure")) {
        asked->unsure++;
        return -1;
    }
    asked->other++;
    return 0;
}

static void test_sweep(void **state)
{
    fixture_t *f = *state;
    asked_t asked = {0, 0, 0};
    ecl_storage_part_t *part;

    store(f, "known", "a");
    store(f, "unsure", "b");
    store(f, ID, "c");
    OK(ecl_storage_part_open(&part, f->dir, f->p, &f->result));
    assert_int_equal(mkdir(in_storage(f, "files/directory"), 0700), 0);
    assert_int_equal(symlink("/etc/passwd", in_storage(f, "files/link")), 0);
    assert_int_equal(close(creat(in_storage(f, "files/somebody's notes.txt"), 0600)), 0);

    store(f, OTHER_ID, "d"); /* its job is about to be recorded */
    assert_int_equal(ecl_storage_sweep(f->dir, 3600, is_known, &asked, f->p), 0);
    assert_int_equal(asked.known + asked.unsure + asked.other, 0);

    assert_int_equal(ecl_storage_sweep(f->dir, 0, is_known, &asked, f->p), 3);
    assert_int_equal(asked.known, 1);
    assert_int_equal(asked.unsure, 1);
    assert_int_equal(asked.other, 2);
    assert_int_equal(count_entries(f, "incoming"), 0);
    assert_int_equal(access(ecl_storage_path(f->dir, "known", f->p), F_OK), 0);
    assert_int_equal(access(ecl_storage_path(f->dir, "unsure", f->p), F_OK), 0);
    assert_int_equal(count_entries(f, "files"), 5);
    assert_int_equal(ecl_storage_sweep(in_storage(f, "none"), 0, is_known, &asked, f->p), 0);
}

static void test_it_is_held_shared_or_alone(void **state)
{
    fixture_t *f = *state;
    apr_pool_t *one, *other;

    assert_true(APR_STATUS_IS_ENOENT(ecl_storage_hold(f->dir, ECL_STORAGE_ALONE, f->p, NULL)));
    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    apr_pool_create(&one, f->p);
    apr_pool_create(&other, f->p);
    OK(ecl_storage_hold(f->dir, ECL_STORAGE_SHARED, one, &f->result));
    OK(ecl_storage_hold(f->dir, ECL_STORAGE_SHARED, other, &f->result));
    apr_pool_clear(one);
    assert_int_equal(ecl_storage_hold(f->dir, ECL_STORAGE_ALONE, one, &f->result), ECL_ECONFLICT);
    assert_non_null(strstr(f->result.detail, f->dir));
    assert_non_null(strstr(f->result.detail, "stop httpd"));
    apr_pool_clear(other);
    OK(ecl_storage_hold(f->dir, ECL_STORAGE_ALONE, one, &f->result));
    assert_int_equal(ecl_storage_hold(f->dir, ECL_STORAGE_SHARED, other, &f->result),
                     ECL_EUNAVAILABLE);
    assert_non_null(strstr(f->result.detail, "is being copied"));
    apr_pool_clear(one);
    OK(ecl_storage_hold(f->dir, ECL_STORAGE_SHARED, other, &f->result));
}

static void test_wake_is_heard(void **state)
{
    fixture_t *f = *state;
    struct pollfd poll_fd = {.events = POLLIN};

    ecl_storage_wake(in_storage(f, "none"), f->p);
    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    ecl_storage_wake(f->dir, f->p);
    poll_fd.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(poll_fd.fd, in_storage(f, "wake"), IN_ATTRIB) >= 0);
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    ecl_storage_wake(f->dir, f->p);
    assert_int_equal(poll(&poll_fd, 1, 0), 1);
    close(poll_fd.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prepare_makes_private_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prepare_says_what_is_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_part_becomes_a_stored_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_part_that_is_not_kept_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_part_is_hashed_beside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_placed_part_that_is_not_kept_is_removed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_part_that_cannot_be_read_back_is_not_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit_on_file_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_is_held_shared_or_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wake_is_heard, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
