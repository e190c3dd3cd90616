/*
 * A program that a libc has started, and that starts gort from its main: libc's
 * thread-local variables, its heap and its streams work on goroutines.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gort.h"

enum { MANY = 1000 };

static atomic_size_t sum;
static atomic_bool counted;
static _Thread_local int initialised = 42;
static _Thread_local char zero[100];

/* gort calls this first; there is nothing to do. */
static void init(void *g0, void (*setg)(void *g)) {
    (void)g0;
    (void)setg;
    puts("init");
}

void (*_cgo_init)(void *g0, void (*setg)(void *g)) = init;

static void add(void *arg) {
    while (!counted)
        gort_yield();
    sum += (size_t)arg;
}

int main_main(void) {
    for (size_t number = 1; number <= MANY; number++)
        gort_go(add, (void *)number);
    printf("goroutines %zu\n", gort_num_goroutine());
    counted = true;
    while (gort_num_goroutine() > 1)
        gort_yield();

    char *copy = malloc(1 << 20);
    snprintf(copy, 1 << 20, "sum %zu", sum);
    puts(copy);
    free(copy);
    printf("thread-local %d %zu\n", initialised, strlen(zero));
    /* gort ends the process: nobody else will. */
    return fflush(stdout) == 0 ? 5 : 1;
}

int main(int argc, char **argv) {
    printf("main %d\n", argc);
    gort_start(argc, (const char *const *)argv);
}
