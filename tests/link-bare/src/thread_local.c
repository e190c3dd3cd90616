/* A thread-local variable, and one that lies on a page of its own. */
static __thread int number = 41;
static _Alignas(4096) __thread char page[5000];

/* Adds one to both; returns their sum. */
int count(void)
{
    return ++number + ++page[4999];
}
