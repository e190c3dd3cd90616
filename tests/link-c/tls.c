/*
 * Thread-local variables of every kind, in two objects: what they start as, that
 * the goroutines of a thread share them, and that another thread has its own.
 * With GOMAXPROCS=1, since goroutines run on many threads otherwise. The only other
 * thread is sysmon's then, which runs no C: a signal does so there.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gort.h"
#include "tls.h"

enum { SYS_open = 2, SYS_close = 3, SYS_rt_sigaction = 13, SYS_getpid = 39 };
enum { SYS_getdents64 = 217, SYS_tgkill = 234 };
enum { SIGUSR1 = 10, SA_RESTORER = 0x04000000, SA_ONSTACK = 0x08000000 };

static __thread int number = 42;
static __thread short zero;
static _Alignas(256) __thread char text[] = "initialised";

static const char *started;   /* what a constructor saw */
static const char *elsewhere; /* what the other thread saw */
static uintptr_t canary, canary_elsewhere;
static atomic_bool seen;

static void say(const char *text) {
    size_t size = 0;
    while (text[size])
        size++;
    gort_write(1, text, size);
}

/* Says "what: right", or what is wrong. */
static void report(const char *what, const char *wrong) {
    say(what);
    say(": ");
    say(wrong ? wrong : "right");
    say("\n");
}

/* The address as the processor has it, not as the compiler knows it. */
static uintptr_t address(const volatile void *of) {
    __asm__("" : "+r"(of));
    return (uintptr_t)of;
}

/* Returns what is not as every thread has it at its start; null if nothing. */
static const char *wrong_at_start(void) {
    if (number != 42 || many != 7)
        return "a number";
    if (zero != 0 || aligned[0] != 0 || aligned[1] != 0)
        return "what is zero";
    for (size_t at = 0; at < LARGE; at++)
        if (large[at] != 0)
            return "the large one";
    for (size_t at = 0; at < sizeof text; at++)
        if (text[at] != "initialised"[at])
            return "the text";
    if (address(text) % 256 != 0 || address(aligned) % ALIGNED != 0)
        return "an alignment";
    return NULL;
}

/* Writes to all of them. */
static void change(int to) {
    number = zero = many = to;
    for (size_t at = 0; at < LARGE; at++)
        large[at] = (char)to;
    for (size_t at = 0; at < sizeof text; at++)
        text[at] = (char)to;
    aligned[0] = aligned[1] = to;
}

/* Returns what is not as change left it; null if nothing. */
static const char *wrong_after_change(int to) {
    if (number != to || zero != to || many != to)
        return "a number";
    for (size_t at = 0; at < LARGE; at++)
        if (large[at] != (char)to)
            return "the large one";
    for (size_t at = 0; at < sizeof text; at++)
        if (text[at] != (char)to)
            return "the text";
    return aligned[0] == to && aligned[1] == to ? NULL : "the aligned one";
}

static uintptr_t read_canary(void) {
    uintptr_t word;
    __asm__("movq %%fs:0x28, %0" : "=r"(word));
    return word;
}

__attribute__((constructor)) static void at_start(void) {
    started = wrong_at_start();
}

/* Whose turn it is: either of the two may be made to give way at any time. */
static atomic_int turn;

static void wait_for(int number) {
    while (turn != number)
        gort_yield();
}

static void goroutine(void *arg) {
    const char **wrong = arg;
    wait_for(1);
    *wrong = wrong_after_change(5);
    change(6);
    turn = 2;
    wait_for(3);
    *wrong = *wrong ? *wrong : wrong_after_change(8);
}

static long system_call(long call, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "+a"(call)
                     : "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return call;
}

/* What a signal handler returns into. */
void restorer(void);
__asm__(".text\nrestorer: movl $15, %eax\nsyscall\n");

/* On the other thread. */
static void handler(int signal) {
    (void)signal;
    elsewhere = wrong_at_start();
    change(9);
    if (elsewhere == NULL)
        elsewhere = wrong_after_change(9);
    canary_elsewhere = read_canary();
    seen = true;
}

/* Returns the highest id of this process's threads that is not `but`. */
static long thread_but(long but) {
    char entries[2048];
    long found = 0;
    long task = system_call(SYS_open, (long)"/proc/self/task", 0, 0, 0);
    long size = system_call(SYS_getdents64, task, (long)entries, sizeof entries, 0);
    for (long at = 0; at < size; at += *(unsigned short *)&entries[at + 16]) {
        long id = 0;
        for (char *digit = &entries[at + 19]; *digit >= '0' && *digit <= '9'; digit++)
            id = id * 10 + *digit - '0';
        if (id > found && id != but)
            found = id;
    }
    system_call(SYS_close, task, 0, 0, 0);
    return found;
}

int main_main(void) {
    report("at the start", started);

    long before = thread_but(0);
    const char *wrong = "never looked at";
    gort_go(goroutine, &wrong);
    change(5);
    turn = 1;
    wait_for(2);
    const char *changed = wrong_after_change(6);
    change(8);
    turn = 3;
    while (gort_num_goroutine() > 1)
        gort_yield();
    report("of a goroutine", wrong);
    report("behind a switch", changed);

    struct {
        void (*handler)(int);
        long flags;
        void (*restorer)(void);
        long mask;
    } action = {handler, SA_RESTORER | SA_ONSTACK, restorer, 0};
    long process = system_call(SYS_getpid, 0, 0, 0, 0);
    system_call(SYS_rt_sigaction, SIGUSR1, (long)&action, 0, sizeof action.mask);
    if (system_call(SYS_tgkill, process, thread_but(before), SIGUSR1, 0) != 0)
        return 1;
    while (!seen)
        gort_yield();
    report("on another thread", elsewhere);
    report("and here", wrong_after_change(8));

    canary = read_canary();
    if (canary == 0 || (canary & 0xff) != 0)
        report("canary", "not random, or no zero first");
    report("its canary", canary == canary_elsewhere ? NULL : "another");
    return 3;
}
