/*
 * What C brings along: constructors, and frames of many pages on a goroutine's
 * stack, which must meet the guard and not step over it.
 */
#include "gort.h"

static volatile int order;
static int first, second;

__attribute__((constructor(101))) static void early(void) { first = ++order; }
__attribute__((constructor)) static void late(void) { second = ++order; }

static void say(const char *text)
{
    size_t size = 0;
    while (text[size])
        size++;
    gort_write(1, text, size);
}

static int deep(int depth)
{
    volatile char frame[20000];
    frame[depth % 20000] = (char)depth;
    return depth > 100 ? 0 : deep(depth + 1) + frame[depth % 20000];
}

static void neighbour(void *arg)
{
    (void)arg;
    for (;;)
        gort_yield();
}

static void hog(void *arg)
{
    (void)arg;
    deep(0);
    say("the guard was stepped over\n");
}

int main_main(void)
{
    if (first == 1 && second == 2)
        say("constructors ran in order\n");
    for (int i = 0; i < 8; i++)
        gort_go(neighbour, NULL);
    gort_go(hog, NULL);
    for (;;)
        gort_yield();
}
