/*
 * The system calls that cannot be made from Rust: the one that sets FS, the one
 * that returns twice, and the one that a signal handler returns into.
 *
 * The kernel's convention: rax = number; arguments in rdi, rsi, rdx, r10, r8,
 * r9; result in rax, -4095..-1 being an errno; rcx and r11 are lost.
 *
 * Go's counterpart: runtime/sys_linux_amd64.s.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

#define SYS_rt_sigreturn 15
#define SYS_clone 56
#define SYS_exit 60
#define SYS_arch_prctl 158
#define SYS_gettid 186

#define ARCH_SET_FS 0x1002

/* ------------------------------------------------------------------------
 * runtime.settls: extern "C" fn(slot: *mut usize)
 *
 * Sets this thread's FS so that the slot is at -8(FS).
 *
 * in: rdi = slot; clobbers rax, rcx, rsi, rdi, r11
 */
        .section .text.runtime.settls, "ax", @progbits
        .globl  runtime.settls
        .type   runtime.settls, @function
runtime.settls:
        .cfi_startproc
        lea     rsi, [rdi + 8]          /* ELF's TLS ends where FS points */
        mov     edi, ARCH_SET_FS
        mov     eax, SYS_arch_prctl
        syscall
        cmp     rax, -4095
        jae     .Lnotls
        ret
.Lnotls:
        call    runtime.abort           /* no TLS, no runtime */
        .cfi_endproc
        .size   runtime.settls, . - runtime.settls

/* ------------------------------------------------------------------------
 * runtime.clone: extern "C" fn(flags: i32, stack: usize, mp: *M, gp: *G,
 *                              start: extern "C" fn(), tls: usize) -> i32
 *
 * Starts a thread on `stack`, with FS = tls, that is mp running gp (its g0),
 * and calls start. Returns the thread's id, or a negative errno.
 *
 * in: edi = flags (CLONE_SETTLS among them), rsi = stack, rdx = mp, rcx = gp,
 *     r8 = start, r9 = tls; clobbers rcx, rdx, rsi, rdi, r8-r11
 *
 * The child shares our memory but not our stack: what it needs goes over in
 * registers that the system call keeps (rbx, r12, r13). The child never
 * returns through this frame.
 */
        .section .text.runtime.clone, "ax", @progbits
        .globl  runtime.clone
        .type   runtime.clone, @function
runtime.clone:
        .cfi_startproc
        push    rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        push    r12
        .cfi_def_cfa_offset 24
        .cfi_offset r12, -24
        push    r13
        .cfi_def_cfa_offset 32
        .cfi_offset r13, -32
        mov     rbx, rdx                /* mp */
        mov     r12, rcx                /* gp */
        mov     r13, r8                 /* start */
        mov     r8, r9                  /* tls */
        lea     rax, .Lchild[rip]       /* the child begins in this same frame: */
        mov     [rsi - 8], rax          /* a backtrace finds its root where the */
        sub     rsi, 32                 /* parent's return address would be */
        xor     edx, edx                /* parent_tid */
        xor     r10d, r10d              /* child_tid */
        mov     eax, SYS_clone
        syscall
        test    eax, eax
        jz      .Lchild
        pop     r13
        .cfi_def_cfa_offset 24
        pop     r12
        .cfi_def_cfa_offset 16
        pop     rbx
        .cfi_def_cfa_offset 8
        ret

        .cfi_undefined rip              /* the child's root */
        nop                             /* gdb looks up the pc before this one */
.Lchild:
        xor     ebp, ebp
        and     rsp, -16
        mov     eax, SYS_gettid
        syscall
        mov     [rbx + m_procid], rax
        mov     fs:[runtime.tlsg@tpoff], r12
        mov     [r12 + g_m], rbx
        call    r13
        xor     edi, edi                /* start returned: this thread ends */
        mov     eax, SYS_exit
        syscall
        ud2
        .cfi_endproc
        .size   runtime.clone, . - runtime.clone

/* ------------------------------------------------------------------------
 * runtime.sigtramp: extern "C" fn(signal: i32, info: *siginfo, context: *ucontext)
 *
 * What the kernel calls, on the M's signal stack: aligns the stack, which QEMU's
 * user mode (7.2) does not, and goes on in Rust.
 *
 * in: edi, rsi, rdx; preserves what the ABI says
 */
        .section .text.runtime.sigtramp, "ax", @progbits
        .globl  runtime.sigtramp
        .type   runtime.sigtramp, @function
runtime.sigtramp:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        and     rsp, -16
        call    runtime.sigtrampgo
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.sigtramp, . - runtime.sigtramp

/* ------------------------------------------------------------------------
 * runtime.sigNotifyTramp: extern "C" fn(signal: i32, info: *siginfo, context: *mut ucontext)
 *
 * The same for the signals that are no faults. Of its own, since an archive without
 * them has the other alone.
 *
 * in: edi, rsi, rdx; preserves what the ABI says
 */
        .section .text.runtime.sigNotifyTramp, "ax", @progbits
        .globl  runtime.sigNotifyTramp
        .type   runtime.sigNotifyTramp, @function
runtime.sigNotifyTramp:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        and     rsp, -16
        call    runtime.sighandler
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.sigNotifyTramp, . - runtime.sigNotifyTramp

/* ------------------------------------------------------------------------
 * runtime.sigreturn__sigaction: what a signal handler returns into.
 *
 * Debuggers know a signal frame by these very bytes, glibc's, and by a name
 * with `sigaction` in it. The nop stands before it since an unwinder looks up
 * the pc before a return address.
 */
        .section .text.runtime.sigreturn, "ax", @progbits
        nop
        .globl  runtime.sigreturn__sigaction
        .type   runtime.sigreturn__sigaction, @function
runtime.sigreturn__sigaction:
        .byte   0x48, 0xc7, 0xc0, SYS_rt_sigreturn, 0, 0, 0     /* mov rax, 15 */
        .byte   0x0f, 0x05                                      /* syscall */
        .size   runtime.sigreturn__sigaction, . - runtime.sigreturn__sigaction

        .section .note.GNU-stack, "", @progbits
