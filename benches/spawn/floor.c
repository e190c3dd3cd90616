/*
 * What the kernel alone takes for the stacks of a million goroutines: a page is
 * touched in each of as many stretches of one mapping. No runtime that leaves
 * stacks where they are, each with a page of its own, can be faster.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MANY 1000000L
#define STRETCH (288L << 10) /* 256 KiB, and the same share for what guards it */

/* Returns the nanoseconds of the monotonic clock. */
static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

/* Returns the bytes of resident memory and of page tables. */
static long resident(void) {
    char line[256];
    long sum = 0, number;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld", &number) == 1 || sscanf(line, "VmPTE: %ld", &number) == 1)
            sum += number * 1024;
    return sum;
}

/* Touches a page in each stretch; returns the nanoseconds. */
static long touch(char *memory, long count) {
    long start = now();
    for (long i = 0; i < count; i++)
        ((volatile char *)memory)[(i + 1) * STRETCH - 1] += 1;
    return now() - start;
}

int main(int argc, char **argv) {
    long scale = argc == 4 ? atol(argv[3]) : 0;
    if (scale < 1 || strcmp(argv[1], "spawn") != 0) {
        fprintf(stderr, "usage: PROGRAM spawn PROCS SCALE\n");
        return 1;
    }
    long count = MANY / scale, few = count / 10 > 0 ? count / 10 : 1, sum = 0;
    char *memory = mmap(NULL, count * STRETCH, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    long before = resident();
    long first = touch(memory, count);
    long after = resident();
    long again = touch(memory, few);
    for (long i = 0; i < count; i++)
        sum += memory[(i + 1) * STRETCH - 1];
    printf("spawn/first %.4f\n", (double)first / count);
    printf("spawn/again %.4f\n", (double)again / few);
    printf("spawn/bytes %.4f\n", (double)(after - before) / count);
    printf("check %ld\n", sum);
    return 0;
}
