/*
 * A program that a libc has started, and that starts gort from its main. One of its goroutines
 * has libc make a thread, of which gort knows nothing, and which dies.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include "gort.h"

/* gort calls this first; there is nothing to do. */
static void init(void *g0, void (*setg)(void *g)) {
    (void)g0;
    (void)setg;
}

void (*_cgo_init)(void *g0, void (*setg)(void *g)) = init;

#ifdef OVERFLOW
static size_t fail(size_t depth) {
    volatile char frame[1024];
    frame[depth % sizeof frame] = 1;
    return depth == (size_t)-1 ? 0 : fail(depth + 1) + (size_t)frame[0];
}
#elif defined DIVIDE
static size_t fail(size_t zero) {
    volatile unsigned dividend = 100, divisor = (unsigned)zero;
    return dividend / divisor;
}
#else
static size_t fail(size_t zero) {
    const volatile char *volatile nowhere = (const char *)zero;
    return (size_t)*nowhere;
}
#endif

static void *foreign(void *arg) {
    return (void *)fail((size_t)arg);
}

static void make(void *arg) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, foreign, arg) == 0)
        pthread_join(thread, NULL);
}

int main_main(void) {
    printf("%zu goroutine\n", gort_num_goroutine());
    fflush(stdout);
    gort_go(make, NULL);
    while (gort_num_goroutine() > 1)
        gort_yield();
    return 0;
}

int main(int argc, char **argv) {
    gort_start(argc, (const char *const *)argv);
}
