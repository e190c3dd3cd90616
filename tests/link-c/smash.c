/*
 * A function that writes beyond its array, compiled with -fstack-protector-all or
 * -strong. With -DPLACE=__thread the program has thread-local storage, too.
 */
#include "gort.h"

#ifndef PLACE
#define PLACE
#endif

static PLACE volatile int calls;

__attribute__((noinline)) static void smash(volatile char *array, int size)
{
    for (int i = 0; i < size; i++)
        array[i] = 1;
}

__attribute__((noinline)) static int victim(int size)
{
    calls++;
    volatile char array[16];
    smash(array, size);
    return array[0];
}

int main_main(void)
{
    int right = victim(16);
    gort_write(1, "still here\n", 11);
    return right + victim(64);
}
