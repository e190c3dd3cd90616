/*
 * A C program on gort, without a libc: goroutines that add up, one that ends in
 * the middle, and what the functions of gort.h return when they fail.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "gort.h"

enum { MANY = 1000, EBADF = 9 };

static atomic_size_t sum, ended, left;
static atomic_bool counted;

/* Appends text to a line; returns the new end. */
static char *text(char *to, const char *from) {
    while (*from)
        *to++ = *from++;
    return to;
}

/* Appends a number in decimal. */
static char *decimal(char *to, size_t number) {
    if (number >= 10)
        to = decimal(to, number / 10);
    *to++ = '0' + number % 10;
    return to;
}

/* Prints "what number". */
static void print(const char *what, size_t number) {
    char line[80], *end = text(line, what);
    *end++ = ' ';
    end = decimal(end, number);
    *end++ = '\n';
    size_t size = end - line;
    if (gort_write(1, line, size) != (ptrdiff_t)size)
        gort_exit(1);
}

/* A goroutine: adds its number, in two halves. */
static void add(void *arg) {
    size_t number = (size_t)arg;
    sum += number / 2;
    while (!counted)
        gort_yield();
    sum += number - number / 2;
    ended++;
}

/* A goroutine that ends before its function does. */
static void leave(void *arg) {
    while (!counted)
        gort_yield();
    ++*(atomic_size_t *)arg;
    gort_goexit();
}

int main_main(void) {
    for (size_t number = 1; number <= MANY; number++)
        gort_go(add, (void *)number);
    gort_go(leave, &left);
    print("goroutines", gort_num_goroutine());
    counted = true;
    while (gort_num_goroutine() > 1)
        gort_yield();

    print("sum", sum);
    print("ended", ended);
    print("left", left);
    print("some CPUs", gort_num_cpu() > 0);
    print("nothing written", gort_write(1, NULL, 0));
    print("EBADF", gort_write(-1, "x", 1) == -EBADF);
    return 7;
}
