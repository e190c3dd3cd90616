/*
 * gort: Go's program start-up and goroutine runtime, for programs in C and in
 * any language that can call C. Link libgort.a.
 *
 * The program supplies main_main, which runs on the main goroutine:
 *
 *     #include "gort.h"
 *
 *     static void hello(void *arg) {
 *         gort_write(1, "hello\n", 6);
 *     }
 *
 *     int main_main(void) {
 *         gort_go(hello, NULL);
 *         while (gort_num_goroutine() > 1)
 *             gort_yield();
 *         return 0;
 *     }
 *
 *     gcc -Os -ffreestanding -fno-asynchronous-unwind-tables \
 *         -fstack-clash-protection -nostdlib -nostartfiles -static -no-pie \
 *         -Wl,-z,max-page-size=4096 -Wl,-z,norelro -Wl,--gc-sections -Wl,--build-id=none \
 *         -I dist/include -T dist/linker.ld -o hello hello.c dist/libgort.a
 *
 * Units: sizes are in bytes, times in nanoseconds (_ns). Errors: a function that
 * can fail returns a negative errno of <errno.h>'s, as the kernel does; there is no
 * errno variable.
 *
 * From where: unless it says otherwise, a function may be called from any
 * goroutine, which main_main is one of, and from nowhere else: not from a signal
 * handler, not from a thread that gort did not make.
 *
 * A goroutine has 256 KiB of stack, the main one too, and no more, unless
 * gort_go_stack made it. The memory is there where it was touched, 4 KiB at least. Running off
 * the end ends the program with "fatal error: stack overflow" (with
 * -fstack-clash-protection; without it, a frame of more than 32 KiB can miss the
 * guard below the stack). Before Linux 6.13 a guard takes two mappings, of which
 * the system allows vm.max_map_count, 65,530 by default: beyond some 24,500
 * goroutines at a time only every 128th has a guard. One without that runs off by
 * more than 32 KiB writes into its neighbour's stack, and the program ends when
 * it gives way or ends.
 *
 * There is no malloc. gort has a heap, but for itself, its channels, and programs in
 * Rust that use it as a crate; a program in C brings an allocator, or takes mappings
 * from the system.
 *
 * What a failing program prints goes to standard error and is what Go prints;
 * its exit status is 2.
 *
 * Constructors (.init_array) run before main_main, on the main goroutine.
 * -fstack-protector works, and so do thread-local variables (__thread). They are
 * the thread's, which goroutines share, and which a goroutine may leave for
 * another at any instruction, since one that has run for 10 ms is made to give way
 * by the signal SIGURG: what one of them needs behind that does not belong there.
 * The same signal interrupts a system call that lasts longer than that: read and its
 * like go on by themselves, nanosleep and poll fail with EINTR.
 * The floating-point environment (fesetround) goes with a goroutine that is made to
 * give way; before anything that gives way by itself it has to be put back. A
 * handler of the program's own is installed with SA_ONSTACK, as Go asks of it, so
 * that nobody gives way in it. Where a libc hosts the program one thread runs all
 * goroutines, and nobody is made to give way.
 *
 * The environment: GOMAXPROCS and GOTRACEBACK mean what they mean to Go. GODEBUG
 * is read by an archive that was made with `cargo xtask dist --trace`, and by no
 * other: then boottrace=1 and inittrace=1 show how the program starts, and
 * guardinstall=0 makes guards as before Linux 6.13.
 */
#ifndef GORT_H
#define GORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A function that does not return. */
#if defined(__GNUC__)
#define GORT_NORETURN __attribute__((noreturn))
#else
#define GORT_NORETURN
#endif

/*
 * The program's main function; the program defines it. It is called once, on
 * the main goroutine. When it returns, the process ends with the low eight bits
 * of what it returns, whatever other goroutines do.
 */
int main_main(void);

/*
 * Starts a goroutine that calls f(arg); it ends when f returns. It is the next
 * to run when the current one gives way, which one that has run for 10 ms does
 * here. arg must be good on any thread, for as long as f uses it.
 *
 * Where the system has no memory for another stack, the program ends with
 * "fatal error: out of memory (stack allocation)".
 */
void gort_go(void (*f)(void *), void *arg);

/*
 * The same with a stack of at least size bytes, up to 1 GiB. Returns 0, or -ENOMEM
 * where the system has no room for it, or that is more than 1 GiB.
 */
int gort_go_stack(void (*f)(void *), void *arg, size_t size);

/* Lets other goroutines run; the current one goes to the end of the queue. */
void gort_yield(void);

/*
 * Ends the current goroutine; nothing on its stack is cleaned up. Where that is
 * the main goroutine, the others go on; when the last of them has ended, the
 * program ends with "fatal error: no goroutines (main called runtime.Goexit) -
 * deadlock!" and status 2.
 */
GORT_NORETURN void gort_goexit(void);

/* Returns how many goroutines exist, the current one among them: at least 1. */
size_t gort_num_goroutine(void);

/*
 * Puts the goroutine to sleep for at least ns nanoseconds; others run meanwhile. Less
 * than 1 is no time at all.
 */
void gort_sleep_ns(int64_t ns);

/*
 * Returns the nanoseconds of the monotonic clock, CLOCK_MONOTONIC. From a signal
 * handler, too.
 */
int64_t gort_now_ns(void);

/*
 * Sets how many goroutines may run at the same time, 1,024 at most, and returns how
 * many could before. Less than 1 only tells. All others stop for a moment while the
 * number changes.
 */
int gort_gomaxprocs(int n);

/* Returns how many CPUs the process was allowed to run on when it started. */
int gort_num_cpu(void);

/*
 * Ties the current goroutine to the thread that it runs on: no other thread runs it,
 * and that thread runs no other goroutine, until gort_unlock_os_thread has been called
 * as often. For what the system keeps for each thread, and for thread-local variables.
 * If the goroutine ends while it is locked, the thread ends with it.
 */
void gort_lock_os_thread(void);

/* Undoes one gort_lock_os_thread; where there is none, it does nothing. */
void gort_unlock_os_thread(void);

/*
 * Calls f(arg), which may block the thread for long, and returns what it returns; other
 * goroutines have the processor meanwhile. Where f itself gives way, waits or starts a
 * goroutine, that ends: the rest of it runs as any other code.
 */
void *gort_blocking(void *(*f)(void *), void *arg);

/* Returns gort's name and version. */
const char *gort_version(void);

/*
 * Ends the process, all goroutines with it, with the low eight bits of status.
 * From a signal handler, too.
 */
GORT_NORETURN void gort_exit(int status);

/*
 * Writes size bytes at data to the descriptor fd, all of them, in as many
 * pieces as that takes. Returns size, or a negative errno, when an unknown part
 * of the data has been written. Blocks the thread while the descriptor does.
 * From a signal handler, too.
 */
ptrdiff_t gort_write(int fd, const void *data, size_t size);

/*
 * A channel: goroutines send each other messages of a size by it, which are copied from
 * where the sender has them to where the receiver wants them.
 *
 * A null pointer is a channel, too, by which nothing is ever sent or received, as Go's
 * nil: in a select it is a case that is left out.
 */
typedef struct gort_chan gort_chan;

/* A capacity: there is always room. */
#define GORT_UNBOUNDED SIZE_MAX

/* A timeout: however long it takes. So is any other that is less than 0. */
#define GORT_FOREVER ((int64_t)-1)

/*
 * Makes a channel for messages of size bytes, which may be 0, that keeps up to capacity
 * of them until they are received. With 0 who sends waits for who receives. Returns NULL
 * if size times capacity is more than the address space; where the system has no memory
 * for it, the program ends with "fatal error: out of memory".
 */
gort_chan *gort_chan_make(size_t size, size_t capacity);

/*
 * Frees a channel, with the messages in it. Nobody may use it any more, or be in one of
 * these functions with it. A goroutine whose message another has received by
 * gort_chan_recv, or which was given another's by gort_chan_send, is done with it, even
 * if its own function has not returned: so whoever receives the last message may free
 * the channel. This does not hold of gort_select. NULL is nothing to free.
 */
void gort_chan_free(gort_chan *chan);

/*
 * Sends the message at message, which may be NULL where messages have no bytes. Waits
 * until there is room for it, or somebody receives it. Returns 0; or -EPIPE if the
 * channel is closed, before or meanwhile: then nobody gets the message.
 */
int gort_chan_send(gort_chan *chan, const void *message);

/* The same, but returns -EAGAIN if it would have to wait. */
int gort_chan_try_send(gort_chan *chan, const void *message);

/*
 * The same, but returns -ETIMEDOUT if it has waited for timeout_ns nanoseconds, of which
 * 0 is as gort_chan_try_send.
 */
int gort_chan_send_timeout(gort_chan *chan, const void *message, int64_t timeout_ns);

/*
 * Receives a message into message, which may be NULL where messages have no bytes. Waits
 * until there is one. Returns 0; or -EPIPE if the channel is closed and all that was in
 * it has been received: then message is as it was.
 */
int gort_chan_recv(gort_chan *chan, void *message);

/* The same, but returns -EAGAIN if it would have to wait. */
int gort_chan_try_recv(gort_chan *chan, void *message);

/*
 * The same, but returns -ETIMEDOUT if it has waited for timeout_ns nanoseconds, of which
 * 0 is as gort_chan_try_recv.
 */
int gort_chan_recv_timeout(gort_chan *chan, void *message, int64_t timeout_ns);

/*
 * Closes a channel: there will be no more messages. As in Go what is in it can still be
 * received, and behind that every receive returns -EPIPE at once, to all who wait and all
 * who come. Unlike in Go a send is no panic then, but returns -EPIPE, also to those who
 * wait in one: so any side may close it, but who receives then may leave messages in it
 * that were sent. Closing is not freeing. Returns 0; -EALREADY if it was closed; -EINVAL
 * for NULL.
 */
int gort_chan_close(gort_chan *chan);

/* Returns how many messages are in a channel, of which another may just take one. */
size_t gort_chan_len(const gort_chan *chan);

/* Returns how many messages a channel keeps, or GORT_UNBOUNDED. */
size_t gort_chan_cap(const gort_chan *chan);

/* What a case of a select does. */
enum { GORT_SEND = 1, GORT_RECV = 2 };

/*
 * An operation that gort_select may choose: to send what is at message by chan, or to
 * receive into message. result is for what gort_chan_send or gort_chan_recv would have
 * returned, 0 or -EPIPE, where it is the one that was chosen.
 */
typedef struct gort_case {
    gort_chan *chan;
    void *message;
    int op;
    int result;
} gort_case;

/*
 * Waits until one of count operations is possible, does it, and returns its index; of
 * several that are possible any, at random. One whose channel is closed is possible, with
 * -EPIPE. Waits for timeout_ns nanoseconds at most, and returns -ETIMEDOUT then; with 0
 * it does not wait, and returns -EAGAIN: Go's default. Returns -EINVAL for an op that
 * there is not. Up to 8 cases cost no memory.
 */
int gort_select(gort_case *cases, size_t count, int64_t timeout_ns);

/*
 * Locks and the like lie wherever the program wants them, and are new when all of their
 * bytes are 0: as static variables, or by = {0}. They must not be moved or copied while
 * they are in use. Goroutines wait for them, not threads.
 *
 * A mutex, which one goroutine has at a time: Go's, so that who has waited for more than a
 * millisecond gets it before those who come. To unlock one that is open ends the program
 * with "fatal error: sync: unlock of unlocked mutex". Any goroutine may unlock it.
 */
typedef struct gort_mutex {
    uint64_t opaque[2];
} gort_mutex;

/* Takes the mutex; waits until it is open. */
void gort_mutex_lock(gort_mutex *mutex);

/* Takes the mutex, and returns 0; or -EBUSY if somebody has it. */
int gort_mutex_try_lock(gort_mutex *mutex);

/* Opens the mutex. */
void gort_mutex_unlock(gort_mutex *mutex);

/* A lock that one goroutine has for itself, or many have as readers. Nobody starves. */
typedef struct gort_rwlock {
    uint64_t opaque[3];
} gort_rwlock;

/* Takes the lock for oneself. */
void gort_rwlock_lock(gort_rwlock *lock);

/* Takes the lock for oneself, and returns 0; or -EBUSY if anybody has it. */
int gort_rwlock_try_lock(gort_rwlock *lock);

/* Opens the lock for others. */
void gort_rwlock_unlock(gort_rwlock *lock);

/* Takes the lock as a reader. Who is one must not do so again: a writer may wait. */
void gort_rwlock_rlock(gort_rwlock *lock);

/* Takes the lock as a reader, and returns 0; or -EBUSY if it would have to wait. */
int gort_rwlock_try_rlock(gort_rwlock *lock);

/* Gives up being a reader. */
void gort_rwlock_runlock(gort_rwlock *lock);

/* A number of things that others have yet to do, for which one can wait. */
typedef struct gort_waitgroup {
    uint64_t opaque[2];
} gort_waitgroup;

/*
 * Adds to the number. Before others begin, so that who waits finds it. Less than 0 ends
 * the program with "panic: negative WaitGroup counter".
 */
void gort_waitgroup_add(gort_waitgroup *group, int delta);

/* Takes one off the number: it is done. */
void gort_waitgroup_done(gort_waitgroup *group);

/* Waits until the number is 0. */
void gort_waitgroup_wait(gort_waitgroup *group);

/* A number of permits, 0 at first, up to 2,147,483,647; who waits first gets some first. */
typedef struct gort_semaphore {
    uint64_t opaque[2];
} gort_semaphore;

/* Takes permits; waits until there are so many. */
void gort_semaphore_acquire(gort_semaphore *semaphore, uint32_t permits);

/* Takes permits, and returns 0; or -EAGAIN if there are not so many, or others wait. */
int gort_semaphore_try_acquire(gort_semaphore *semaphore, uint32_t permits);

/* The same, but waits for timeout_ns nanoseconds, and returns -ETIMEDOUT then. */
int gort_semaphore_acquire_timeout(gort_semaphore *semaphore, uint32_t permits, int64_t timeout_ns);

/* Gives permits to those who wait, and to those who come. */
void gort_semaphore_release(gort_semaphore *semaphore, uint32_t permits);

/*
 * Starts gort in a program that a libc has started, and never returns: call it
 * from main, on the main thread, with main's own argc and argv (the array that
 * the kernel made: the environment is read from behind it).
 *
 * Such a program defines _cgo_init, and is linked by its libc's own rules, to
 * which hosted.ld adds what gort needs:
 *
 *     void (*_cgo_init)(void *g0, void (*setg)(void *g)) = init;
 *
 *     gcc -no-pie -I dist/include -T dist/hosted.ld -o hosted hosted.c dist/libgort.a
 *
 * The process ends as by _exit: what the libc keeps in buffers (stdio's) is lost
 * unless it is flushed before main_main returns.
 *
 * gort calls _cgo_init first, on the same thread. It may do nothing, or set the
 * bounds of the thread's stack in the two words at g0: the lowest address and
 * the one behind the highest.
 */
GORT_NORETURN void gort_start(int argc, const char *const *argv);

#ifdef __cplusplus
}
#endif

#endif
