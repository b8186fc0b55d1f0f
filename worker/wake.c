#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "wake.h"

static apr_status_t close_wake(void *data)
{
    ecl_wake_t *wake = data;

    if (wake->fd >= 0) {
        close(wake->fd);
        wake->fd = -1;
    }
    return APR_SUCCESS;
}

static void watch(ecl_wake_t *wake)
{
    const uint32_t events = IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF;

    wake->watch = inotify_add_watch(wake->fd, wake->path, events);
    if (wake->watch < 0 && errno == ENOENT) {
        int file = open(wake->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
        if (file >= 0) {
            close(file);
            wake->watch = inotify_add_watch(wake->fd, wake->path, events);
        }
    }
}

ecl_wake_t *ecl_wake_open(const char *storage_dir, apr_pool_t *p)
{
    ecl_wake_t *wake = apr_palloc(p, sizeof *wake);

    wake->path = apr_pstrcat(p, storage_dir, "/wake", NULL);
    wake->watch = -1;
    wake->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (wake->fd >= 0) {
        apr_pool_cleanup_register(p, wake, close_wake, apr_pool_cleanup_null);
        watch(wake);
    }
    return wake;
}

void ecl_wake_drain(ecl_wake_t *wake)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t got;

    if (wake->fd < 0) {
        return;
    }
    while ((got = read(wake->fd, buffer, sizeof buffer)) > 0) {
        const struct inotify_event *event;
        for (char *at = buffer; at < buffer + got; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)(void *)at;
            if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
                wake->watch = -1;
            }
        }
    }
    if (wake->watch < 0) {
        watch(wake);
    }
}
