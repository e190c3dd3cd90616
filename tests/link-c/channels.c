/*
 * Channels, selects and locks from C: what each function of gort.h promises. Prints
 * "all is well", or what is not.
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "gort.h"

enum {
    EAGAIN = 11,
    ENOMEM = 12,
    EBUSY = 16,
    EINVAL = 22,
    EPIPE = 32,
    ETIMEDOUT = 110,
    EALREADY = 114
};

#define MS INT64_C(1000000)

/* Ends the program with its line if something is not so. */
#define CHECK(so) ((so) ? (void)0 : failed(#so, __LINE__))

static void failed(const char *what, int line) {
    char text[200];
    size_t size = 0;
    while (*what && size < 150)
        text[size++] = *what++;
    text[size++] = ' ';
    for (int unit = 1000; unit > 0; unit /= 10)
        text[size++] = '0' + line / unit % 10;
    text[size++] = '\n';
    gort_write(1, text, size);
    gort_exit(1);
}

/* Waits until so many goroutines are left. */
static void wait_for(size_t goroutines) {
    while (gort_num_goroutine() > goroutines)
        gort_yield();
}

/* A message that is larger than what a select has a place for. */
struct large {
    uint64_t number, copies[19];
};

static struct large make_large(uint64_t number) {
    struct large large = {.number = number};
    for (size_t at = 0; at < 19; at++)
        large.copies[at] = number + at;
    return large;
}

static uint64_t check_large(const struct large *large) {
    for (size_t at = 0; at < 19; at++)
        CHECK(large->copies[at] == large->number + at);
    return large->number;
}

static void one_goroutine(void) {
    gort_chan *chan = gort_chan_make(sizeof(int), 2);
    int one = 1, two = 2, three = 3, got = 0;
    CHECK(gort_chan_cap(chan) == 2 && gort_chan_len(chan) == 0);
    CHECK(gort_chan_try_recv(chan, &got) == -EAGAIN);
    CHECK(gort_chan_recv_timeout(chan, &got, 0) == -EAGAIN);
    CHECK(gort_chan_send(chan, &one) == 0);
    CHECK(gort_chan_try_send(chan, &two) == 0);
    CHECK(gort_chan_len(chan) == 2);
    CHECK(gort_chan_try_send(chan, &three) == -EAGAIN);
    CHECK(gort_chan_send_timeout(chan, &three, 0) == -EAGAIN);
    int64_t start = gort_now_ns();
    CHECK(gort_chan_send_timeout(chan, &three, 2 * MS) == -ETIMEDOUT);
    CHECK(gort_now_ns() - start >= 2 * MS);
    CHECK(gort_chan_recv(chan, &got) == 0 && got == 1);
    CHECK(gort_chan_send_timeout(chan, &three, 60000 * MS) == 0);
    CHECK(gort_chan_close(chan) == 0);
    CHECK(gort_chan_close(chan) == -EALREADY);
    CHECK(gort_chan_send(chan, &one) == -EPIPE);
    CHECK(gort_chan_try_send(chan, &one) == -EPIPE);
    CHECK(gort_chan_recv(chan, &got) == 0 && got == 2);
    CHECK(gort_chan_try_recv(chan, &got) == 0 && got == 3);
    CHECK(gort_chan_recv(chan, &got) == -EPIPE && got == 3);
    CHECK(gort_chan_recv_timeout(chan, &got, MS) == -EPIPE);
    gort_chan_free(chan);

    chan = gort_chan_make(0, 1);
    CHECK(gort_chan_send(chan, NULL) == 0 && gort_chan_try_send(chan, NULL) == -EAGAIN);
    CHECK(gort_chan_recv(chan, NULL) == 0 && gort_chan_try_recv(chan, NULL) == -EAGAIN);
    gort_chan_free(chan);

    chan = gort_chan_make(1, GORT_UNBOUNDED);
    CHECK(gort_chan_cap(chan) == GORT_UNBOUNDED);
    for (int count = 0; count < 5000; count++)
        CHECK(gort_chan_try_send(chan, &(char){(char)count}) == 0);
    CHECK(gort_chan_send(chan, NULL) == -EINVAL && gort_chan_recv(chan, NULL) == -EINVAL);
    for (int count = 0; count < 3000; count++) {
        char byte;
        CHECK(gort_chan_try_recv(chan, &byte) == 0 && byte == (char)count);
    }
    CHECK(gort_chan_len(chan) == 2000);
    gort_chan_free(chan);
    CHECK(gort_chan_make(1 << 20, SIZE_MAX / 2) == NULL);
    CHECK(gort_chan_make(SIZE_MAX, 0) == NULL);

    CHECK(gort_chan_try_send(NULL, &one) == -EAGAIN);
    CHECK(gort_chan_try_recv(NULL, &got) == -EAGAIN);
    start = gort_now_ns();
    CHECK(gort_chan_recv_timeout(NULL, &got, MS) == -ETIMEDOUT);
    CHECK(gort_now_ns() - start >= MS);
    CHECK(gort_chan_close(NULL) == -EINVAL);
    CHECK(gort_chan_len(NULL) == 0 && gort_chan_cap(NULL) == 0);
    gort_chan_free(NULL);
}

static void selects(void) {
    gort_chan *one = gort_chan_make(sizeof(int), 1), *other = gort_chan_make(sizeof(int), 1);
    int from_one = 0, from_other = 0, seven = 7;
    gort_case cases[] = {
        {.chan = one, .message = &from_one, .op = GORT_RECV, .result = 99},
        {.chan = other, .message = &from_other, .op = GORT_RECV, .result = 99},
        {.chan = NULL, .message = NULL, .op = GORT_RECV, .result = 99},
    };
    CHECK(gort_select(cases, 3, 0) == -EAGAIN);
    CHECK(gort_select(NULL, 0, 0) == -EAGAIN);
    int64_t start = gort_now_ns();
    CHECK(gort_select(cases, 3, 2 * MS) == -ETIMEDOUT);
    CHECK(gort_select(cases + 2, 1, 2 * MS) == -ETIMEDOUT);
    CHECK(gort_now_ns() - start >= 4 * MS);
    CHECK(cases[0].result == 99 && cases[1].result == 99);
    CHECK(gort_chan_send(other, &seven) == 0);
    CHECK(gort_select(cases, 3, GORT_FOREVER) == 1);
    CHECK(from_other == 7 && cases[1].result == 0 && cases[0].result == 99);

    /* Either, where both are possible. */
    int chosen[2] = {0, 0};
    for (int count = 0; count < 1000; count++) {
        gort_chan_try_send(one, &seven);
        gort_chan_try_send(other, &seven);
        int index = gort_select(cases, 3, GORT_FOREVER);
        CHECK(index == 0 || index == 1);
        chosen[index]++;
    }
    CHECK(chosen[0] > 300 && chosen[1] > 300);
    gort_chan_try_recv(one, &from_one);
    gort_chan_try_recv(other, &from_other);

    cases[1].op = GORT_SEND;
    from_other = 8;
    CHECK(gort_select(cases, 3, GORT_FOREVER) == 1 && cases[1].result == 0);
    CHECK(gort_select(cases, 3, 0) == -EAGAIN);
    CHECK(gort_chan_recv(other, &seven) == 0 && seven == 8);
    gort_chan_close(other);
    CHECK(gort_select(cases, 3, GORT_FOREVER) == 1 && cases[1].result == -EPIPE);
    cases[1].op = GORT_RECV;
    cases[1].result = 99;
    CHECK(gort_select(cases, 3, 0) == 1 && cases[1].result == -EPIPE && from_other == 8);
    cases[0].op = 3;
    CHECK(gort_select(cases, 3, 0) == -EINVAL);
    cases[0].op = GORT_RECV;
    cases[0].message = NULL;
    CHECK(gort_select(cases, 3, 0) == -EINVAL);

    /* More than it has room for by itself. */
    gort_case many[40];
    int number = 5;
    for (int at = 0; at < 40; at++)
        many[at] = (gort_case){.chan = at % 2 ? NULL : one, .message = &number, .op = GORT_RECV};
    CHECK(gort_select(many, 40, 0) == -EAGAIN);
    CHECK(gort_select(many, 40, MS) == -ETIMEDOUT);
    many[38].op = GORT_SEND;
    CHECK(gort_select(many, 40, GORT_FOREVER) == 38);
    int index = gort_select(many, 38, GORT_FOREVER);
    CHECK(index >= 0 && index < 38 && index % 2 == 0 && number == 5);
    gort_chan_free(one);
    gort_chan_free(other);
}

/* What the goroutines below share. */
static gort_chan *ints, *larges;
static atomic_long sent, received;

static void send_until_closed(void *arg) {
    (void)arg;
    int number = 1;
    CHECK(gort_chan_send(ints, &number) == -EPIPE);
}

static void receive_until_closed(void *arg) {
    (void)arg;
    int number = 1;
    gort_case one = {.chan = larges, .message = &number, .op = GORT_RECV};
    CHECK(gort_chan_recv(larges, &number) == -EPIPE);
    CHECK(gort_select(&one, 1, GORT_FOREVER) == 0 && one.result == -EPIPE);
    CHECK(number == 1);
}

/* Those who wait learn that a channel is closed. */
static void closes(void) {
    ints = gort_chan_make(sizeof(int), 0);
    larges = gort_chan_make(sizeof(int), 0);
    for (int count = 0; count < 10; count++) {
        gort_go(send_until_closed, NULL);
        gort_go(receive_until_closed, NULL);
    }
    gort_sleep_ns(MS);
    CHECK(gort_num_goroutine() == 21);
    gort_chan_close(ints);
    gort_chan_close(larges);
    wait_for(1);
    gort_chan_free(ints);
    gort_chan_free(larges);
}

static void signal(void *chan) {
    gort_case one = {.chan = chan, .message = NULL, .op = GORT_SEND, .result = 99};
    CHECK(gort_chan_send(chan, NULL) == 0);
    CHECK(gort_select(&one, 1, GORT_FOREVER) == 0 && one.result == 0);
}

/* Messages without bytes. */
static void signals(void) {
    gort_chan *chan = gort_chan_make(0, 0);
    for (int count = 0; count < 100; count++)
        gort_go(signal, chan);
    for (int count = 0; count < 100; count++) {
        gort_case one = {.chan = chan, .message = NULL, .op = GORT_RECV, .result = 99};
        CHECK(gort_chan_recv(chan, NULL) == 0);
        CHECK(gort_select(&one, 1, GORT_FOREVER) == 0 && one.result == 0);
    }
    wait_for(1);
    gort_chan_free(chan);
}

enum { MESSAGES = 2000, PARTIES = 4 };

/* Sends small and large messages, by selects and without. */
static void producer(void *arg) {
    size_t who = (size_t)arg;
    for (uint64_t count = 1; count <= MESSAGES; count++) {
        int small = (int)count;
        struct large large = make_large(count);
        gort_case cases[] = {
            {.chan = ints, .message = &small, .op = GORT_SEND},
            {.chan = larges, .message = &large, .op = GORT_SEND},
        };
        if (who % 2 == 0)
            CHECK(gort_select(cases, 2, GORT_FOREVER) >= 0);
        else if (count % 2 == 0)
            CHECK(gort_chan_send(ints, &small) == 0);
        else
            while (gort_chan_send_timeout(larges, &large, MS) != 0)
                ;
        sent += (long)count;
    }
}

/* Receives until both are closed. */
static void consumer(void *arg) {
    (void)arg;
    int small;
    struct large large;
    gort_case cases[] = {
        {.chan = ints, .message = &small, .op = GORT_RECV},
        {.chan = larges, .message = &large, .op = GORT_RECV},
    };
    for (;;) {
        int index = gort_select(cases, 2, 60000 * MS);
        CHECK(index >= 0);
        if (cases[index].result == 0)
            received += index == 0 ? small : (long)check_large(&large);
        else if (cases[1 - index].chan == NULL)
            return;
        else
            cases[index].chan = NULL;
    }
}

static void crowd(size_t capacity) {
    sent = received = 0;
    ints = gort_chan_make(sizeof(int), capacity);
    larges = gort_chan_make(sizeof(struct large), capacity);
    for (size_t who = 0; who < PARTIES; who++)
        gort_go(consumer, NULL);
    for (size_t who = 0; who < PARTIES; who++)
        gort_go(producer, (void *)who);
    wait_for(1 + PARTIES);
    gort_chan_close(ints);
    gort_chan_close(larges);
    wait_for(1);
    CHECK(sent == (long)PARTIES * MESSAGES * (MESSAGES + 1) / 2);
    CHECK(received == sent);
    gort_chan_free(ints);
    gort_chan_free(larges);
}

static void done(void *chan) {
    int number = 42;
    CHECK(gort_chan_send(chan, &number) == 0);
}

/* Whoever gets the last message may free the channel. */
static void free_at_once(void) {
    for (size_t count = 0; count < 3000; count++) {
        gort_chan *chan = gort_chan_make(sizeof(int), count % 2);
        int number = 0;
        gort_go(done, chan);
        if (count % 3 == 0)
            gort_yield();
        CHECK(gort_chan_recv(chan, &number) == 0 && number == 42);
        gort_chan_free(chan);
    }
    wait_for(1);
}

static gort_mutex mutex;
static gort_rwlock rwlock;
static gort_waitgroup group;
static gort_semaphore semaphore;
static long counter, other_counter;
static atomic_int inside;

enum { LOCKERS = 8, TIMES = 2000 };

static void locker(void *arg) {
    (void)arg;
    for (int count = 0; count < TIMES; count++) {
        gort_mutex_lock(&mutex);
        long before = counter;
        if (count % 64 == 0)
            gort_yield();
        counter = before + 1;
        gort_mutex_unlock(&mutex);

        if (count % 4 == 0) {
            gort_rwlock_lock(&rwlock);
            counter += 0;
            other_counter++;
            gort_rwlock_unlock(&rwlock);
        } else {
            gort_rwlock_rlock(&rwlock);
            long seen = other_counter;
            if (count % 64 == 1)
                gort_yield();
            CHECK(seen == other_counter);
            gort_rwlock_runlock(&rwlock);
        }

        gort_semaphore_acquire(&semaphore, 1);
        CHECK(++inside <= 3);
        if (count % 64 == 2)
            gort_yield();
        inside--;
        gort_semaphore_release(&semaphore, 1);
    }
    gort_waitgroup_done(&group);
}

static void locks(void) {
    CHECK(gort_mutex_try_lock(&mutex) == 0);
    CHECK(gort_mutex_try_lock(&mutex) == -EBUSY);
    gort_mutex_unlock(&mutex);
    CHECK(gort_rwlock_try_rlock(&rwlock) == 0 && gort_rwlock_try_rlock(&rwlock) == 0);
    CHECK(gort_rwlock_try_lock(&rwlock) == -EBUSY);
    gort_rwlock_runlock(&rwlock);
    gort_rwlock_runlock(&rwlock);
    CHECK(gort_rwlock_try_lock(&rwlock) == 0);
    CHECK(gort_rwlock_try_rlock(&rwlock) == -EBUSY);
    gort_rwlock_unlock(&rwlock);
    CHECK(gort_semaphore_try_acquire(&semaphore, 1) == -EAGAIN);
    gort_semaphore_release(&semaphore, 3);
    CHECK(gort_semaphore_try_acquire(&semaphore, 3) == 0);
    CHECK(gort_semaphore_acquire_timeout(&semaphore, 1, 0) == -EAGAIN);
    int64_t start = gort_now_ns();
    CHECK(gort_semaphore_acquire_timeout(&semaphore, 1, 2 * MS) == -ETIMEDOUT);
    CHECK(gort_now_ns() - start >= 2 * MS);
    gort_semaphore_release(&semaphore, 3);
    CHECK(gort_semaphore_acquire_timeout(&semaphore, 3, GORT_FOREVER) == 0);
    gort_semaphore_release(&semaphore, 3);

    gort_waitgroup_wait(&group);
    gort_waitgroup_add(&group, LOCKERS);
    for (int count = 0; count < LOCKERS; count++)
        gort_go(locker, NULL);
    gort_waitgroup_wait(&group);
    CHECK(counter == (long)LOCKERS * TIMES);
    CHECK(other_counter == (long)LOCKERS * TIMES / 4);
    wait_for(1);
}

static int deep(int depth) {
    volatile char frame[1000];
    frame[depth % 1000] = (char)depth;
    return depth == 0 ? 0 : deep(depth - 1) + frame[depth % 1000] * 0;
}

static void use_stack(void *arg) {
    *(int *)arg = deep(3000) + 1; /* 3 MB */
    gort_waitgroup_done(&group);
}

static void *twice(void *arg) {
    return (char *)arg + (size_t)arg;
}

static void others(void) {
    int64_t start = gort_now_ns();
    gort_sleep_ns(3 * MS);
    CHECK(gort_now_ns() - start >= 3 * MS);
    gort_sleep_ns(0);
    gort_sleep_ns(-1);
    CHECK(gort_blocking(twice, (void *)21) == (void *)42);
    int procs = gort_gomaxprocs(0);
    CHECK(procs >= 1);
    CHECK(gort_gomaxprocs(2) == procs && gort_gomaxprocs(-1) == 2);
    CHECK(gort_gomaxprocs(procs) == 2);
    gort_lock_os_thread();
    gort_yield();
    gort_unlock_os_thread();
    gort_unlock_os_thread();
    const char *version = gort_version();
    CHECK(version[0] == 'g' && version[4] == ' ' && version[5] >= '0' && version[5] <= '9');

    int result = 0;
    gort_waitgroup_add(&group, 1);
    CHECK(gort_go_stack(use_stack, &result, 8 << 20) == 0);
    gort_waitgroup_wait(&group);
    CHECK(result == 1);
    CHECK(gort_go_stack(use_stack, &result, (size_t)1 << 31) == -ENOMEM);
    CHECK(gort_go_stack(use_stack, &result, SIZE_MAX) == -ENOMEM);
    wait_for(1);
}

int main_main(void) {
#if defined(UNLOCK)
    gort_mutex_unlock(&mutex);
#elif defined(ASLEEP)
    int number;
    gort_chan_recv(gort_chan_make(sizeof number, 1), &number);
#elif defined(NOTHING)
    gort_select(NULL, 0, GORT_FOREVER);
#endif
    one_goroutine();
    selects();
    closes();
    signals();
    crowd(0);
    crowd(1);
    crowd(100);
    crowd(GORT_UNBOUNDED);
    free_at_once();
    locks();
    others();
    gort_write(1, "all is well\n", 12);
    return 0;
}
