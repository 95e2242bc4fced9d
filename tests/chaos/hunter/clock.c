/* A process's wall clock, shifted by the seconds that stand in the file CLOCK_SHIFT; its monotonic clock is left alone.
 *
 * Preloaded. libfaketime 0.9.10 (Debian 12) does not do: it takes the real time from the absolute monotonic deadlines of
 * Python 3.11's time.sleep, which then fails with EINVAL, or it shifts the monotonic clock too, as no clock on earth does.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EVERY_S 1
#define WALL_S 1000000000L /* a deadline behind this is one of the wall clock: no machine has been up for 30 years */

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = dlsym(RTLD_NEXT, #name)

static int real_clock(clockid_t id, struct timespec *out)
{
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    return real(id, out);
}

static long shift_s(void)
{
    static long shift, looked = -EVERY_S;
    struct timespec now;
    real_clock(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - looked >= EVERY_S) {
        const char *name = getenv("CLOCK_SHIFT");
        char text[32] = {0};
        int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
        looked = now.tv_sec;
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) > 0) shift = atol(text);
            close(file);
        }
    }
    return shift;
}

static const struct timespec *unshifted(const struct timespec *deadline, struct timespec *room)
{
    if (!deadline || deadline->tv_sec < WALL_S) return deadline;
    *room = *deadline;
    room->tv_sec -= shift_s();
    return room;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int failed = real_clock(id, out);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) out->tv_sec += shift_s();
    return failed;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *out, int base)
{
    return clock_gettime(CLOCK_REALTIME, out) ? 0 : base;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *deadline)
{
    struct timespec room;
    REAL(int, pthread_cond_timedwait, pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    return real(cond, mutex, unshifted(deadline, &room));
}

int cnd_timedwait(void *cond, void *mutex, const struct timespec *deadline)
{
    struct timespec room;
    REAL(int, cnd_timedwait, void *, void *, const struct timespec *);
    return real(cond, mutex, unshifted(deadline, &room));
}

int sem_timedwait(sem_t *semaphore, const struct timespec *deadline)
{
    struct timespec room;
    REAL(int, sem_timedwait, sem_t *, const struct timespec *);
    return real(semaphore, unshifted(deadline, &room));
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
    struct timespec room;
    REAL(int, sem_clockwait, sem_t *, clockid_t, const struct timespec *);
    return real(semaphore, clock, unshifted(deadline, &room));
}
