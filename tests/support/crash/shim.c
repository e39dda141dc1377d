/* Preloaded into a process: numbers each write, fsync and rename under one folder.
 *
 * Every change to a file or a name under the folder, and every sync, is carried out and then
 * written to a journal under one lock, so that the journal has one order over all threads. Before
 * the operation with a chosen number the process is killed; or operations fail from a number on,
 * as on a full disk, or syncs fail, as on a broken one.
 *
 * The journal: records of the struct below, each followed by its path, its other path and its
 * data. volume.py reads it, and knows what a disk makes of it.
 *
 * Real work goes through syscall(), never through libc's own wrappers, which these replace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, LINK, MARK, UNKNOWN };
enum { CREATED = 1, EMPTIED = 2 };
enum { MAX_FD = 4096 };

struct record {
    uint32_t kind, flags;
    uint64_t number; /* 0: not an operation that can be stopped */
    int64_t handle, offset, result;
    uint32_t path_size, other_size, data_size, unused;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static char root[PATH_MAX];
static size_t root_size;
static uint64_t number, kill_at, full_from, broken_from, broken_until;
static int64_t handles;
static int64_t handle_of[MAX_FD];

static int64_t handle(int fd) { return fd >= 0 && fd < MAX_FD ? handle_of[fd] : 0; }

static void put(uint32_t kind, uint32_t flags, int64_t file, int64_t offset, int64_t result,
                const char *path, const char *other, const void *data, size_t size) {
    int numbered = kind != MARK && kind != UNKNOWN && (kind != OPEN || flags);
    struct record head = {kind, flags, numbered ? number : 0, file, offset, result,
                          path ? strlen(path) : 0, other ? strlen(other) : 0, size, 0};
    struct iovec parts[4] = {{&head, sizeof head},
                             {(void *)path, head.path_size},
                             {(void *)other, head.other_size},
                             {(void *)data, size}};
    long want = sizeof head + head.path_size + head.other_size + size;
    if (syscall(SYS_writev, journal, parts, 4) != want) abort();
}

/* Counts an operation; an error number where it is to fail and not to be carried out. */
static int step(int takes_space, int syncs) {
    number++;
    if (number == kill_at) for (syscall(SYS_kill, getpid(), SIGKILL);;) pause();
    if (takes_space && full_from && number >= full_from) return ENOSPC;
    if (syncs && broken_from && number >= broken_from && number < broken_until) return EIO;
    return 0;
}

/* The absolute path without dots; whether it is in the folder. */
static int inside(int at, const char *path, char *full) {
    char raw[2 * PATH_MAX], link[32];
    if (journal < 0 || !path) return 0;
    if (path[0] == '/') {
        snprintf(raw, sizeof raw, "%s", path);
    } else {
        char folder[PATH_MAX];
        if (at == AT_FDCWD) {
            if (!getcwd(folder, sizeof folder)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            ssize_t size = readlink(link, folder, sizeof folder - 1);
            if (size < 0) return 0;
            folder[size] = 0;
        }
        snprintf(raw, sizeof raw, "%s/%s", folder, path);
    }
    size_t size = 0;
    char *rest = raw, *part;
    full[0] = 0;
    while ((part = strsep(&rest, "/"))) {
        if (!*part || !strcmp(part, ".")) continue;
        if (!strcmp(part, "..")) {
            while (size && full[--size] != '/') {}
            full[size] = 0;
            continue;
        }
        if (size + strlen(part) + 2 > PATH_MAX) return 0;
        size += sprintf(full + size, "/%s", part);
    }
    return !strncmp(full, root, root_size) && (full[root_size] == '/' || !full[root_size]);
}

static int unknown(const char *what) {
    if (journal >= 0) put(UNKNOWN, 0, 0, 0, 0, what, NULL, NULL, 0);
    return 0;
}

/* What a test calls. */

void crash_begin(const char *folder, const char *journal_path, uint64_t before, uint64_t kill) {
    snprintf(root, sizeof root, "%s", folder);
    root_size = strlen(root);
    number = before;
    handles = (int64_t)before << 20; /* apart from the handles of processes before this one */
    kill_at = kill;
    journal = syscall(SYS_openat, AT_FDCWD, journal_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                      0600);
    if (journal < 0) abort();
}

void crash_mark(const void *data, uint64_t size) {
    pthread_mutex_lock(&lock);
    put(MARK, 0, 0, 0, 0, NULL, NULL, data, size);
    pthread_mutex_unlock(&lock);
}

/* From this number on nothing that takes space succeeds; 0: there is space again. */
void crash_full_from(uint64_t from) { full_from = from; }

/* Syncs with the numbers [from, until) fail. */
void crash_broken(uint64_t from, uint64_t until) { broken_until = until, broken_from = from; }

/* Files: what opens, writes, cuts and syncs. */

static int do_open(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    int made = 0, error = 0;
    struct stat there;
    if (journal < 0 || !inside(at, path, full)) {
        int fd = syscall(SYS_openat, at, path, flags, mode);
        if (fd >= 0 && fd < MAX_FD) handle_of[fd] = 0;
        return fd;
    }
    pthread_mutex_lock(&lock);
    if ((flags & O_TMPFILE) == O_TMPFILE) unknown("O_TMPFILE");
    if (fstatat(at, path, &there, 0)) made = flags & O_CREAT ? CREATED : 0;
    else if (flags & O_TRUNC && (flags & O_ACCMODE) != O_RDONLY && there.st_size) made = EMPTIED;
    if (made) error = step(made == CREATED, 0);
    int fd = error ? -1 : syscall(SYS_openat, at, path, flags, mode);
    if (fd < 0 && !error) error = errno;
    if (fd >= MAX_FD) abort();
    if (fd >= 0) handle_of[fd] = ++handles;
    if (fd >= 0 || made) put(OPEN, made, handles, 0, -error, full, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

static ssize_t do_write(int fd, const void *data, size_t size, off_t at) {
    struct stat now;
    pthread_mutex_lock(&lock);
    int appends = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND;
    off_t offset = at >= 0 ? at : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    if (appends && !fstat(fd, &now)) offset = now.st_size;
    int error = step(1, 0);
    if (error && number == full_from && size > 1) error = 0, size /= 2; /* the last that fits */
    ssize_t done = error ? -1
                   : at >= 0 ? syscall(SYS_pwrite64, fd, data, size, at)
                             : syscall(SYS_write, fd, data, size);
    if (done < 0 && !error) error = errno;
    put(WRITE, 0, handle(fd), offset, done < 0 ? -error : done, NULL, NULL, data,
        done < 0 ? 0 : done);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

static ssize_t do_writev(int fd, const struct iovec *parts, int count, off_t at) {
    size_t size = 0, done = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *data = malloc(size + 1);
    if (!data) abort();
    for (int i = 0; i < count; done += parts[i++].iov_len)
        memcpy(data + done, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = do_write(fd, data, size, at);
    free(data);
    return result;
}

static int do_truncate(int fd, off_t size) {
    struct stat now;
    pthread_mutex_lock(&lock);
    int error = step(!fstat(fd, &now) && size > now.st_size, 0);
    if (!error && syscall(SYS_ftruncate, fd, size)) error = errno;
    put(TRUNCATE, 0, handle(fd), size, -error, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return error ? -1 : 0;
}

static int do_sync(int fd, long call) {
    pthread_mutex_lock(&lock);
    int error = step(0, 1);
    if (!error && syscall(call, fd)) error = errno;
    put(SYNC, 0, handle(fd), 0, -error, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return error ? -1 : 0;
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; \
    va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return do_open(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return do_open(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return do_open(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char *path, int flags) { return do_open(at, path, flags, 0); }
int __openat64_2(int at, const char *path, int flags) { return do_open(at, path, flags, 0); }
int creat(const char *path, mode_t mode) {
    return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

ssize_t write(int fd, const void *data, size_t size) {
    return handle(fd) ? do_write(fd, data, size, -1) : syscall(SYS_write, fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return handle(fd) ? do_write(fd, data, size, at) : syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return pwrite(fd, data, size, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return handle(fd) ? do_writev(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return handle(fd) ? do_writev(fd, parts, count, at)
                      : syscall(SYS_pwritev, fd, parts, count, at, 0L);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    return pwritev(fd, parts, count, at);
}
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) {
    if (!handle(fd)) return syscall(SYS_pwritev2, fd, parts, count, at, 0L, flags);
    if (flags) unknown("pwritev2 with flags");
    return do_writev(fd, parts, count, at);
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t at, int flags) {
    return pwritev2(fd, parts, count, at, flags);
}
int ftruncate(int fd, off_t size) {
    return handle(fd) ? do_truncate(fd, size) : syscall(SYS_ftruncate, fd, size);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int truncate(const char *path, off_t size) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) return -1;
    int result = ftruncate(fd, size), error = errno;
    close(fd);
    errno = error;
    return result;
}
int truncate64(const char *path, off64_t size) { return truncate(path, size); }
int fsync(int fd) { return handle(fd) ? do_sync(fd, SYS_fsync) : syscall(SYS_fsync, fd); }
int fdatasync(int fd) {
    return handle(fd) ? do_sync(fd, SYS_fdatasync) : syscall(SYS_fdatasync, fd);
}

/* Descriptors: which of them mean which file. */

int close(int fd) {
    if (!handle(fd)) return syscall(SYS_close, fd);
    pthread_mutex_lock(&lock);
    handle_of[fd] = 0;
    int result = syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return result;
}
static int copied(int fd, int copy) {
    if (copy >= 0 && copy < MAX_FD) handle_of[copy] = handle(fd);
    return copy;
}
int dup(int fd) { return copied(fd, syscall(SYS_dup, fd)); }
int dup3(int fd, int copy, int flags) { return copied(fd, syscall(SYS_dup3, fd, copy, flags)); }
int dup2(int fd, int copy) {
    return fd == copy ? syscall(SYS_fcntl, fd, F_GETFD) < 0 ? -1 : fd : dup3(fd, copy, 0);
}
int fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int result = syscall(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result;
}
int fcntl64(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fcntl(fd, command, argument);
}

/* Names. */

static int do_name(uint32_t kind, int takes_space, const char *full, const char *other, long call,
                   long a, long b, long c, long d, long e) {
    pthread_mutex_lock(&lock);
    int error = step(takes_space, 0);
    if (!error && syscall(call, a, b, c, d, e)) error = errno;
    put(kind, 0, 0, 0, -error, full, other, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return error ? -1 : 0;
}

int renameat2(int a, const char *old, int b, const char *new, unsigned flags) {
    char from[PATH_MAX], to[PATH_MAX];
    int in = inside(a, old, from), out = inside(b, new, to);
    if (!in && !out) return syscall(SYS_renameat2, a, old, b, new, flags);
    if (!in || !out || flags) unknown("a rename across the folder's border, or with flags");
    return do_name(RENAME, 0, from, to, SYS_renameat2, a, (long)old, b, (long)new, flags);
}
int renameat(int a, const char *old, int b, const char *new) { return renameat2(a, old, b, new, 0); }
int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }
int unlinkat(int at, const char *path, int flags) {
    char full[PATH_MAX];
    if (!inside(at, path, full)) return syscall(SYS_unlinkat, at, path, flags);
    return do_name(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, full, NULL, SYS_unlinkat, at,
                   (long)path, flags, 0, 0);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int at, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (!inside(at, path, full)) return syscall(SYS_mkdirat, at, path, mode);
    return do_name(MKDIR, 1, full, NULL, SYS_mkdirat, at, (long)path, mode, 0, 0);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int linkat(int a, const char *old, int b, const char *new, int flags) {
    char from[PATH_MAX], to[PATH_MAX];
    int in = inside(a, old, from), out = inside(b, new, to);
    if (!in && !out) return syscall(SYS_linkat, a, old, b, new, flags);
    if (!in || !out) unknown("a link across the folder's border");
    return do_name(LINK, 1, from, to, SYS_linkat, a, (long)old, b, (long)new, flags);
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

/* What the model of a disk does not know is written down; a test that meets it fails. */

int symlinkat(const char *target, int at, const char *path) {
    char full[PATH_MAX];
    if (inside(at, path, full)) unknown("symlink");
    return syscall(SYS_symlinkat, target, at, path);
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }
void *mmap(void *at, size_t size, int access, int flags, int fd, off_t offset) {
    if (handle(fd) && flags & MAP_SHARED && access & PROT_WRITE) {
        char link[32], path[PATH_MAX];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, path, sizeof path);
        /* SQLite's wal-index may be lost: whoever opens the database first builds it anew. */
        if (length < 4 || memcmp(path + length - 4, "-shm", 4)) unknown("mmap for writing");
    }
    return (void *)syscall(SYS_mmap, at, size, access, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int access, int flags, int fd, off64_t offset) {
    return mmap(at, size, access, flags, fd, offset);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
    if (handle(fd)) unknown("fallocate");
    return syscall(SYS_fallocate, fd, mode, at, size);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) { return fallocate(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) { return fallocate(fd, 0, at, size) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t size) { return posix_fallocate(fd, at, size); }
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
    if (handle(fd)) unknown("sync_file_range");
    return syscall(SYS_sync_file_range, fd, at, size, flags);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    if (handle(out)) unknown("copy_file_range");
    return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t size) {
    if (handle(out)) unknown("sendfile");
    return syscall(SYS_sendfile, out, in, offset, size);
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) {
    return sendfile(out, in, offset, size);
}
