/*
 * Workers that share jobs: goroutines, channels, a select with a time limit, a mutex and
 * a wait group, from C. How to build it stands in gort.h.
 *
 * Numbers go to three workers by one channel; who finds a prime sends it by another. The
 * main goroutine adds up what comes, until the last worker has closed that channel.
 */
#include "gort.h"

enum { LAST = 10000, WORKERS = 3 };

static gort_chan *jobs, *primes;
static gort_waitgroup working;

static gort_mutex lock;
static long tested; /* behind lock */

/* Prints a text and a number. */
static void print(const char *text, long number) {
    char line[80];
    size_t size = 0;
    while (*text)
        line[size++] = *text++;
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = '0' + number % 10;
    while ((number /= 10) > 0);
    while (count > 0)
        line[size++] = digits[--count];
    line[size++] = '\n';
    gort_write(1, line, size);
}

static int is_prime(long number) {
    for (long factor = 2; factor * factor <= number; factor++)
        if (number % factor == 0)
            return 0;
    return number >= 2;
}

/* Takes jobs until there are no more. */
static void worker(void *arg) {
    (void)arg;
    long number;
    while (gort_chan_recv(jobs, &number) == 0) {
        gort_mutex_lock(&lock);
        tested++;
        gort_mutex_unlock(&lock);
        if (is_prime(number))
            gort_chan_send(primes, &number);
    }
    gort_waitgroup_done(&working);
}

/* Closes what the workers send by when all of them are done. */
static void closer(void *arg) {
    (void)arg;
    gort_waitgroup_wait(&working);
    gort_chan_close(primes);
}

int main_main(void) {
    jobs = gort_chan_make(sizeof(long), 64);
    primes = gort_chan_make(sizeof(long), 0);
    gort_waitgroup_add(&working, WORKERS);
    for (int count = 0; count < WORKERS; count++)
        gort_go(worker, NULL);
    gort_go(closer, NULL);

    long next = 1, prime, sum = 0;
    for (;;) {
        gort_case cases[] = {
            /* Without a channel a case is left out: there are no more jobs to give. */
            {.chan = next <= LAST ? jobs : NULL, .message = &next, .op = GORT_SEND},
            {.chan = primes, .message = &prime, .op = GORT_RECV},
        };
        int chosen = gort_select(cases, 2, INT64_C(60000000000));
        if (chosen < 0)
            return 1; /* nothing has happened for a minute */
        if (chosen == 0 && ++next > LAST)
            gort_chan_close(jobs);
        if (chosen == 1) {
            if (cases[1].result != 0)
                break; /* closed, and empty */
            sum += prime;
        }
    }
    print("tested ", tested);
    print("sum of the primes ", sum);
    gort_chan_free(jobs);
    gort_chan_free(primes);
    return 0;
}
