/*
 * The switches between stacks: a thread's first step onto g0, from g0 to a
 * goroutine and back.
 *
 * Go's counterpart: runtime/asm_amd64.s. Two things differ from it, both since
 * the code above is Rust and not Go:
 *
 *   - The System V ABI has callee-saved registers (rbx, rbp, r12-r15), so a
 *     switch away from a goroutine pushes them onto its stack. MXCSR and the
 *     x87 control word are left alone: no Rust code may change them, and
 *     gort.h asks the same of C.
 *   - A goroutine's first argument comes in rdi (gobuf.ctxt), not in rdx.
 *
 * The current g is the 8 bytes at FS:runtime.tlsg@tpoff, -8(FS) where the
 * program has no other TLS. Each routine here that replaces it also replaces
 * rsp, and between those two instructions g and stack do not agree: a signal
 * handler that lands there finds its pc inside of the routine.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

/* ------------------------------------------------------------------------
 * runtime.mstart: extern "C" fn() -> !
 *
 * An M's way into the scheduler, on its g0. Remembers where g0's stack is at
 * this point: mcall and systemstack start there each time, so that nothing
 * above is overwritten.
 *
 * in: g = g0; clobbers everything
 */
        .section .text.runtime.mstart, "ax", @progbits
        .globl  runtime.mstart
        .type   runtime.mstart, @function
runtime.mstart:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        and     rsp, -16
        mov     rax, fs:[runtime.tlsg@tpoff]
        mov     [rax + g_sched_sp], rsp
        lea     rcx, .Lmstarted[rip]
        mov     [rax + g_sched_pc], rcx
        mov     [rax + g_sched_bp], rbp
        call    runtime.mstart1
.Lmstarted:
        call    runtime.abort           /* mstart1 never returns */
        ud2
        .cfi_endproc
        .size   runtime.mstart, . - runtime.mstart

/* ------------------------------------------------------------------------
 * runtime.gogo: extern "C" fn(buf: *Gobuf) -> !
 *
 * Goes on with the goroutine whose state is in buf, on its stack. A goroutine
 * that runs for the first time finds ctxt in rdi; one that was switched away
 * goes on behind the switch in mcall.
 *
 * in: rdi = buf, rsp on g0's stack; clobbers everything
 */
        .section .text.runtime.gogo, "ax", @progbits
        .globl  runtime.gogo
        .type   runtime.gogo, @function
runtime.gogo:
        .cfi_startproc
        .cfi_undefined rip              /* whatever called us is left for good */
        mov     rdx, [rdi + gobuf_g]
        mov     rcx, [rdi + gobuf_pc]
        mov     rbp, [rdi + gobuf_bp]
        mov     rax, [rdi + gobuf_sp]
        mov     fs:[runtime.tlsg@tpoff], rdx
        mov     rsp, rax
        mov     rdi, [rdi + gobuf_ctxt]
        jmp     rcx
        .cfi_endproc
        .size   runtime.gogo, . - runtime.gogo

/* ------------------------------------------------------------------------
 * runtime.mcall: extern "C" fn(fn: extern "C" fn(gp: *G) -> !)
 *
 * Leaves the current goroutine: saves it in its g.sched and calls fn(g) on
 * g0's stack, which must not return but schedule something else. mcall itself
 * returns when a gogo takes the goroutine up again, maybe on another thread.
 *
 * in: rdi = fn, g = a user goroutine; preserves what the ABI says
 *
 *      goroutine's stack, while it is away:
 *            | return address | <- CFA - 8
 *      rbp-> | caller's rbp   |        g.sched.bp
 *            | rbx            |
 *            | r12            |
 *            | r13            |
 *            | r14            |
 *      rsp-> | r15            |        g.sched.sp
 */
        .section .text.runtime.mcall, "ax", @progbits
        .globl  runtime.mcall
        .type   runtime.mcall, @function
runtime.mcall:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp       /* from here the CFA is rbp + 16 */
        push    rbx
        .cfi_offset rbx, -24
        push    r12
        .cfi_offset r12, -32
        push    r13
        .cfi_offset r13, -40
        push    r14
        .cfi_offset r14, -48
        push    r15
        .cfi_offset r15, -56

        mov     rax, fs:[runtime.tlsg@tpoff]
        mov     rdx, [rax + g_m]
        mov     rdx, [rdx + m_g0]
        cmp     rax, rdx
        je      .Lbadmcall
        mov     [rax + g_sched_sp], rsp
        lea     rcx, .Lmcallback[rip]
        mov     [rax + g_sched_pc], rcx
        mov     [rax + g_sched_bp], rbp

        mov     fs:[runtime.tlsg@tpoff], rdx
        mov     rsp, [rdx + g_sched_sp]
        .cfi_remember_state
        .cfi_undefined rip              /* g0 has nothing above this */
        mov     rcx, rdi
        mov     rdi, rax
        xor     ebp, ebp
        call    rcx
        call    runtime.badmcall2       /* fn returned */
        ud2
.Lbadmcall:
        and     rsp, -16
        call    runtime.badmcall        /* we were on g0 */
        ud2

        .cfi_restore_state
        nop                             /* gdb looks up the pc before this one */
.Lmcallback:
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.mcall, . - runtime.mcall

/* ------------------------------------------------------------------------
 * runtime.gosave_gogo: extern "C" fn(gp: *G, buf: *Gobuf,
 *                                    fn: extern "C" fn(gp: *G, arg: *u8) -> bool,
 *                                    arg: *u8)
 *
 * Leaves the current goroutine, gp, and goes on with the one in buf, without a
 * detour over g0: saves gp, calls fn(gp, arg) on the other one's stack, below
 * all that it has there, and goes on with it. When fn runs, nobody is on gp's
 * stack any more: fn may let others find gp. gosave_gogo returns when a switch
 * takes gp up again, maybe on another thread; or at once if fn says false, which
 * it may as long as nobody has found gp.
 *
 * in: rdi = gp, the current g; rsi = buf, of another goroutine; rdx = fn; rcx = arg;
 *     rax = where to return to, and nothing on the stack for it
 * preserves what the ABI says
 *
 * It is reached by a jump, and left by one. The CPU takes it that a return goes to where
 * the last call came from that has not returned yet: here that is one of the goroutine
 * which was left. Each frame that has called, and returns, is predicted wrongly then,
 * unless both wait in the same place; this one, at least, is not.
 *
 * The g.locks of the one that goes on is not 0, and counted down when nothing of
 * its gobuf is needed any more: it may be preempted from then on.
 *
 * gp's stack, while it is away, is as mcall leaves it.
 */
        .section .text.runtime.gosave_gogo, "ax", @progbits
        .globl  runtime.gosave_gogo
        .type   runtime.gosave_gogo, @function
runtime.gosave_gogo:
        .cfi_startproc
        .cfi_def_cfa_offset 0
        .cfi_register rip, rax          /* as if the jump had been a call */
        push    rax
        .cfi_def_cfa_offset 8
        .cfi_offset rip, -8
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp       /* from here the CFA is rbp + 16 */
        push    rbx
        .cfi_offset rbx, -24
        push    r12
        .cfi_offset r12, -32
        push    r13
        .cfi_offset r13, -40
        push    r14
        .cfi_offset r14, -48
        push    r15
        .cfi_offset r15, -56

        mov     [rdi + g_sched_sp], rsp
        lea     rax, .Lgosaved[rip]
        mov     [rdi + g_sched_pc], rax
        mov     [rdi + g_sched_bp], rbp

        mov     rbx, rsi                /* saved above: ours to use */
        lea     r12, [rdi + g_sched]
        mov     rax, [rsi + gobuf_g]
        mov     fs:[runtime.tlsg@tpoff], rax
        mov     rsp, [rsi + gobuf_sp]
        .cfi_remember_state
        .cfi_undefined rip              /* whoever called us is left for good */
        and     rsp, -16
        xor     ebp, ebp
        mov     rsi, rcx
        call    rdx

        test    al, al
        cmovz   rbx, r12
        mov     rdx, [rbx + gobuf_g]
        mov     fs:[runtime.tlsg@tpoff], rdx
        mov     rcx, [rbx + gobuf_pc]
        mov     rbp, [rbx + gobuf_bp]
        mov     rdi, [rbx + gobuf_ctxt]
        mov     rsp, [rbx + gobuf_sp]
        dec     dword ptr [rdx + g_locks]       /* it may be preempted again */
        jmp     rcx

        .cfi_restore_state
        nop                             /* gdb looks up the pc before this one */
.Lgosaved:
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore r15
        .cfi_restore r14
        .cfi_restore r13
        .cfi_restore r12
        .cfi_restore rbx
        .cfi_restore rbp
        pop     rcx
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        jmp     rcx
        .cfi_endproc
        .size   runtime.gosave_gogo, . - runtime.gosave_gogo

/* ------------------------------------------------------------------------
 * runtime.gogo_ended: how runtime.goexit leaves a goroutine that has ended
 *
 * Goes on with the goroutine in rdx, as runtime.gosave_gogo does, and calls
 * runtime.ended with the old one on the other one's stack. Nothing of the old one
 * is saved: who ended its last life has it, its stack too, from then on.
 *
 * in: rdx = the next g, its g.locks not 0
 */
        .section .text.runtime.gogo_ended, "ax", @progbits
        .globl  runtime.gogo_ended
        .type   runtime.gogo_ended, @function
runtime.gogo_ended:
        .cfi_startproc
        .cfi_undefined rip              /* whoever called us is left for good */
        mov     rdi, fs:[runtime.tlsg@tpoff]
        mov     rbx, rdx
        mov     fs:[runtime.tlsg@tpoff], rdx
        mov     rsp, [rdx + g_sched_sp]
        and     rsp, -16
        xor     ebp, ebp
        call    runtime.ended

        mov     rcx, [rbx + g_sched_pc]
        mov     rbp, [rbx + g_sched_bp]
        mov     rdi, [rbx + g_sched_ctxt]
        mov     rsp, [rbx + g_sched_sp]
        dec     dword ptr [rbx + g_locks]       /* it may be preempted again */
        jmp     rcx
        .cfi_endproc
        .size   runtime.gogo_ended, . - runtime.gogo_ended

/* ------------------------------------------------------------------------
 * runtime.Gosched: extern "C" fn()
 *
 * Gives way: to the goroutine that goyield names, if it does. All that is left
 * to do then is to save the current one, to leave its stack, and to count the
 * queue's tail up, by which others find it. Returns when a switch takes it up
 * again, maybe on another thread. src/sched/gosched.rs has the whole.
 *
 * in: g = a goroutine; preserves what the ABI says
 *
 * The goroutine's stack, while it is away, is as mcall leaves it. Nobody is
 * preempted between the two labels: g and its stack do not agree, or its gobuf
 * is still to be read.
 *
 * The way back to the caller is a jump, not a return: the CPU takes it that a
 * return goes to where the last call came from, which was another goroutine's.
 */
        .section .text.runtime.Gosched, "ax", @progbits
        .globl  runtime.Gosched
        .type   runtime.Gosched, @function
        .balign 32
runtime.Gosched:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp       /* from here the CFA is rbp + 16 */
        call    runtime.goyield         /* rax = the next g, or null; rdx = &tail */
        test    rax, rax
        jz      .Lyielded

        push    rbx
        .cfi_offset rbx, -24
        push    r12
        .cfi_offset r12, -32
        push    r13
        .cfi_offset r13, -40
        push    r14
        .cfi_offset r14, -48
        push    r15
        .cfi_offset r15, -56
        mov     rcx, fs:[runtime.tlsg@tpoff]
        mov     [rcx + g_sched_sp], rsp
        lea     rsi, .Lyieldback[rip]
        mov     [rcx + g_sched_pc], rsi
        mov     [rcx + g_sched_bp], rbp

        mov     fs:[runtime.tlsg@tpoff], rax
        mov     rsp, [rax + g_sched_sp]
        .cfi_remember_state
        .cfi_undefined rip              /* whoever called us is left for good */
        mov     dword ptr [rcx + g_locks], 0
        mov     qword ptr [rcx + g_m], 0
        inc     dword ptr [rdx]         /* we alone write it; the last that we do to the old one */
        mov     rbp, [rax + g_sched_bp]
        mov     rdi, [rax + g_sched_ctxt]
        jmp     [rax + g_sched_pc]

        .cfi_restore_state
        nop                             /* gdb looks up the pc before this one */
.Lyieldback:
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        .cfi_restore r15
        .cfi_restore r14
        .cfi_restore r13
        .cfi_restore r12
        .cfi_restore rbx
.Lyielded:
        pop     rbp
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        pop     rcx
        .cfi_def_cfa rsp, 0
        .cfi_register rip, rcx
        jmp     rcx
        .cfi_endproc
        .size   runtime.Gosched, . - runtime.Gosched
        .globl  runtime.eGosched
runtime.eGosched:

/* ------------------------------------------------------------------------
 * runtime.systemstack: extern "C" fn(fn: extern "C" fn(arg: *mut u8), arg: *mut u8)
 *
 * Calls fn(arg) on g0's stack and comes back; where we are on g0 or on the
 * signal stack already, calls it here. fn must not switch to a goroutine.
 *
 * in: rdi = fn, rsi = arg; preserves what the ABI says
 *
 * The CFA stays rbp + 16 over the switch, rbp being the goroutine's, so that a
 * backtrace goes on from g0's stack to the goroutine's. gdb lets a caller's
 * frame lie below its callee's only where the symbol is `__morestack`, gcc's
 * split-stack routine, hence that name in the middle.
 */
        .section .text.runtime.systemstack, "ax", @progbits
        .globl  runtime.systemstack
        .type   runtime.systemstack, @function
runtime.systemstack:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        push    rbx
        .cfi_offset rbx, -24
        sub     rsp, 8                  /* keeps rsp 16-byte aligned */

        mov     rbx, fs:[runtime.tlsg@tpoff]
        mov     rax, rdi
        mov     rdi, rsi
        mov     rcx, [rbx + g_m]
        mov     rdx, [rcx + m_g0]
        cmp     rbx, rdx
        je      .Lnoswitch
        cmp     rbx, [rcx + m_gsignal]
        je      .Lnoswitch

        mov     [rbx + g_sched_sp], rsp /* where a traceback finds the goroutine */
        lea     rcx, .Lonsystem[rip]
        mov     [rbx + g_sched_pc], rcx
        mov     [rbx + g_sched_bp], rbp
        mov     fs:[runtime.tlsg@tpoff], rdx
        mov     rsp, [rdx + g_sched_sp]
        .type   __morestack, @function
__morestack:
        call    rax
.Lonsystem:
        mov     fs:[runtime.tlsg@tpoff], rbx
        lea     rsp, [rbp - 16]
        .size   __morestack, . - __morestack
        jmp     .Lsystemdone

.Lnoswitch:
        call    rax
.Lsystemdone:
        mov     rbx, [rbp - 8]
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.systemstack, . - runtime.systemstack
        .globl  runtime.esystemstack
runtime.esystemstack:

/* ------------------------------------------------------------------------
 * runtime.tryentersyscall: extern "C" fn() -> bool
 *
 * Goes on in tryentersyscall1, with the caller's pc, sp and bp as its arguments.
 *
 * clobbers what the ABI says
 */
        .section .text.runtime.tryentersyscall, "ax", @progbits
        .globl  runtime.tryentersyscall
        .type   runtime.tryentersyscall, @function
runtime.tryentersyscall:
        .cfi_startproc
        mov     rdi, [rsp]
        lea     rsi, [rsp + 8]
        mov     rdx, rbp
        jmp     runtime.tryentersyscall1
        .cfi_endproc
        .size   runtime.tryentersyscall, . - runtime.tryentersyscall

/* ------------------------------------------------------------------------
 * runtime.goexit: where a goroutine's outermost function returns to.
 *
 * newproc1 puts goexit+1 on top of each new stack, as if goexit had called the
 * goroutine's function from its first byte: a debugger that looks up the pc
 * before a return address finds goexit, and its CFI says that this is the root.
 *
 * in: rsp 16-byte aligned at the top of the goroutine's stack
 */
        .section .text.runtime.goexit, "ax", @progbits
        .globl  runtime.goexit
        .type   runtime.goexit, @function
runtime.goexit:
        .cfi_startproc
        .cfi_undefined rip
        nop
        call    runtime.goexit1         /* rax = how to leave this stack, rdx = the next g */
        jmp     rax
        .cfi_endproc
        .size   runtime.goexit, . - runtime.goexit

/* runtime.abort: extern "C" fn() -> !. Ends the program where nothing works. */
        .section .text.runtime.abort, "ax", @progbits
        .globl  runtime.abort
        .type   runtime.abort, @function
runtime.abort:
        .cfi_startproc
        int3
        ud2
        .cfi_endproc
        .size   runtime.abort, . - runtime.abort

        .section .note.GNU-stack, "", @progbits
