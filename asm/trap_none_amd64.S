/*
 * Interrupts and exceptions where there is no system below: 256 ways in, one way
 * out; and the switch from one thread to another.
 *
 * Everything runs in ring 0, and the code that is interrupted has a red zone: so
 * each way in is on a stack of its own, which the IDT names by a number (IST) and
 * the TSS by an address. src/os/none/trap.rs says which.
 *
 * Go has no counterpart; Linux's are entry_64.S and __switch_to_asm.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

/* The layout of an FXSAVE and XSAVE area, as in preempt_amd64.S. */
#define XSAVE_HEADER 512

/* src/os/none/trap.rs's Frame: registers, vector, error code, what the CPU pushes. */
#define FRAME_SIZE 176

/* ------------------------------------------------------------------------
 * runtime.trapTable: static [[u8; 16]; 256]
 *
 * The CPU comes here, by the vector's number. Some exceptions have an error code,
 * which the CPU has pushed; the others get a zero.
 */
        .section .text.runtime.trap, "ax", @progbits
        .balign 16
        .globl  runtime.trapTable
        .type   runtime.trapTable, @object
runtime.trapTable:
        .set    vector, 0
        .rept   256
        .balign 16
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
        push    0
        .endif
        push    vector
        jmp     runtime.trapEntry
        .set    vector, vector + 1
        .endr
        .size   runtime.trapTable, . - runtime.trapTable

/* ------------------------------------------------------------------------
 * runtime.trapEntry: not a function that anybody calls.
 *
 * Saves all that the interrupted code can see of the CPU, calls trap, and puts
 * everything back, or what trap has made of it. In between the CPU is as the ABI
 * wants it at a call: trap may go over to another thread, which finds what we
 * leave here.
 *
 *            | ss, rsp, rflags, cs, rip | the CPU's
 *            | error code               |
 *            | vector                   |
 *            | rax, rcx, rdx, rbx, rsi  |
 *            | rdi, rbp, r8 .. r15      | <- rbx: the Frame
 *            | (up to 63 bytes)         |
 *            | vector state             | <- rsp, divisible by 64
 */
        .globl  runtime.trapEntry
        .type   runtime.trapEntry, @function
runtime.trapEntry:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, 56            /* the end of what the CPU has pushed */
        .cfi_offset rsp, -16
        .cfi_offset 49, -24             /* DWARF's number of rflags */
        .cfi_offset rip, -40
        push    rax
        .cfi_adjust_cfa_offset 8
        .cfi_offset rax, -64
        push    rcx
        .cfi_adjust_cfa_offset 8
        .cfi_offset rcx, -72
        push    rdx
        .cfi_adjust_cfa_offset 8
        .cfi_offset rdx, -80
        push    rbx
        .cfi_adjust_cfa_offset 8
        .cfi_offset rbx, -88
        push    rsi
        .cfi_adjust_cfa_offset 8
        .cfi_offset rsi, -96
        push    rdi
        .cfi_adjust_cfa_offset 8
        .cfi_offset rdi, -104
        push    rbp
        .cfi_adjust_cfa_offset 8
        .cfi_offset rbp, -112
        push    r8
        .cfi_adjust_cfa_offset 8
        .cfi_offset r8, -120
        push    r9
        .cfi_adjust_cfa_offset 8
        .cfi_offset r9, -128
        push    r10
        .cfi_adjust_cfa_offset 8
        .cfi_offset r10, -136
        push    r11
        .cfi_adjust_cfa_offset 8
        .cfi_offset r11, -144
        push    r12
        .cfi_adjust_cfa_offset 8
        .cfi_offset r12, -152
        push    r13
        .cfi_adjust_cfa_offset 8
        .cfi_offset r13, -160
        push    r14
        .cfi_adjust_cfa_offset 8
        .cfi_offset r14, -168
        push    r15
        .cfi_adjust_cfa_offset 8
        .cfi_offset r15, -176
        mov     rbx, rsp                /* the Frame */
        .cfi_def_cfa rbx, FRAME_SIZE
        xor     ebp, ebp                /* a root, for who goes by rbp */
        cld
        sub     rsp, runtime.xsaveSize[rip]
        and     rsp, -64
        mov     eax, runtime.xsaveMask[rip]
        test    eax, eax
        jz      .Lfxsave
        xor     edx, edx                /* edx:eax says what to save */
        lea     rdi, [rsp + XSAVE_HEADER] /* XSAVE leaves most of its header as it */
        xor     ecx, ecx                  /* was, and XRSTOR faults on garbage */
        mov     [rdi], rcx
        mov     [rdi + 8], rcx
        mov     [rdi + 16], rcx
        mov     [rdi + 24], rcx
        mov     [rdi + 32], rcx
        mov     [rdi + 40], rcx
        mov     [rdi + 48], rcx
        mov     [rdi + 56], rcx
        xsave64 [rsp]
        jmp     .Lsaved
.Lfxsave:
        fxsave64 [rsp]
.Lsaved:
        fninit                          /* x87 empty, and how to round as at a call */
        ldmxcsr .Lmxcsr[rip]
        mov     rdi, rbx
        call    runtime.trap

/* in: rbx = the Frame, interrupts off, all of it as trapEntry has laid it out */
.Lback:
        mov     rsp, rbx
        sub     rsp, runtime.xsaveSize[rip]
        and     rsp, -64
        mov     eax, runtime.xsaveMask[rip]
        test    eax, eax
        jz      .Lfxrstor
        xor     edx, edx
        xrstor64 [rsp]
        jmp     .Lrestored
.Lfxrstor:
        fxrstor64 [rsp]
.Lrestored:
        mov     rsp, rbx
        .cfi_def_cfa rsp, FRAME_SIZE
        pop     r15
        .cfi_adjust_cfa_offset -8
        pop     r14
        .cfi_adjust_cfa_offset -8
        pop     r13
        .cfi_adjust_cfa_offset -8
        pop     r12
        .cfi_adjust_cfa_offset -8
        pop     r11
        .cfi_adjust_cfa_offset -8
        pop     r10
        .cfi_adjust_cfa_offset -8
        pop     r9
        .cfi_adjust_cfa_offset -8
        pop     r8
        .cfi_adjust_cfa_offset -8
        pop     rbp
        .cfi_adjust_cfa_offset -8
        .cfi_same_value rbp
        pop     rdi
        .cfi_adjust_cfa_offset -8
        pop     rsi
        .cfi_adjust_cfa_offset -8
        pop     rbx
        .cfi_adjust_cfa_offset -8
        .cfi_same_value rbx
        pop     rdx
        .cfi_adjust_cfa_offset -8
        pop     rcx
        .cfi_adjust_cfa_offset -8
        pop     rax
        .cfi_adjust_cfa_offset -8
        add     rsp, 16                 /* vector, error code */
        .cfi_adjust_cfa_offset -16
        iretq
        .cfi_endproc
        .size   runtime.trapEntry, . - runtime.trapEntry

/* ------------------------------------------------------------------------
 * runtime.sigreturn: what a signal handler returns into, on the signal stack.
 *
 * in: rsp -> the address of the Frame, which `deliver` has put there as trapEntry
 *     lays one out; interrupts may be on
 */
        .section .text.runtime.trap, "ax", @progbits
        nop                             /* unwinders look up the pc before this one */
        .globl  runtime.sigreturn
        .type   runtime.sigreturn, @function
runtime.sigreturn:
        .cfi_startproc
        .cfi_undefined rip
        cli
        pop     rbx
        mov     rdi, rbx
        and     rsp, -16
        call    runtime.sigreturned     /* lets the signals through again */
        jmp     .Lback
        .cfi_endproc
        .size   runtime.sigreturn, . - runtime.sigreturn

        .section .rodata.runtime.trap, "a", @progbits
        .balign 4
.Lmxcsr:
        .long   0x1f80                  /* as a program starts: all exceptions masked */

/* ------------------------------------------------------------------------
 * runtime.switchThread: extern "C" fn(from: *mut usize, to: usize)
 *
 * Leaves this thread, whose stack pointer goes to `from`, and goes on with the
 * one whose stack pointer is `to`: behind its own call of this, or where
 * `prepare` in src/os/none/thread.rs has put a new one. Interrupts are off, and
 * the kernel's lock goes over with the CPU.
 *
 * in: rdi = from, rsi = to; preserves what the ABI says
 */
        .section .text.runtime.switchThread, "ax", @progbits
        .globl  runtime.switchThread
        .type   runtime.switchThread, @function
runtime.switchThread:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
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
        mov     [rdi], rsp
        mov     rsp, rsi
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.switchThread, . - runtime.switchThread

/* ------------------------------------------------------------------------
 * runtime.threadEntry: where switchThread leads on a new thread's stack.
 *
 * in: rbx = its M, or null for the kernel's own; r12 = its g0, r13 = what it runs,
 *     rsp divisible by 16; interrupts off, the kernel locked
 */
        .section .text.runtime.threadEntry, "ax", @progbits
        .globl  runtime.threadEntry
        .type   runtime.threadEntry, @function
        nop
runtime.threadEntry:
        .cfi_startproc
        .cfi_undefined rip
        xor     ebp, ebp
        call    runtime.threadBegins    /* unlocks; its number */
        test    rbx, rbx
        jz      .Lrun
        mov     [rbx + m_procid], rax
        mov     fs:[runtime.tlsg@tpoff], r12
        mov     [r12 + g_m], rbx
.Lrun:
        sti
        call    r13
        call    runtime.threadEnds      /* never returns */
        ud2
        .cfi_endproc
        .size   runtime.threadEntry, . - runtime.threadEntry

/* ------------------------------------------------------------------------
 * runtime.sigNotifyTramp: extern "C" fn(signal: i32, info: *siginfo, context: *mut Frame)
 *
 * The way into the handler of the signals that are no faults, by the name that it
 * has on Linux: what is below the scheduler knows the name alone.
 */
        .section .text.runtime.sigNotifyTramp, "ax", @progbits
        .globl  runtime.sigNotifyTramp
        .type   runtime.sigNotifyTramp, @function
runtime.sigNotifyTramp:
        .cfi_startproc
        jmp     runtime.sighandler
        .cfi_endproc
        .size   runtime.sigNotifyTramp, . - runtime.sigNotifyTramp

        .section .note.GNU-stack, "", @progbits
