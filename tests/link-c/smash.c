/* A function that writes beyond its array, compiled with -fstack-protector-all. */
#include "gort.h"

static void smash(volatile char *array, int size)
{
    for (int i = 0; i < size; i++)
        array[i] = 1;
}

static int victim(int size)
{
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
