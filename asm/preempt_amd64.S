/*
 * Asynchronous preemption: what SIGURG's handler makes a goroutine call between
 * any two of its instructions, and the way into that handler.
 *
 * Go's counterpart: runtime/preempt_amd64.s. Go's compiler leaves no red zone and
 * never keeps more than xmm0-xmm15 alive; Rust and C leave one, and keep alive
 * whatever the CPU has.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

/* What the ABI lets a function use below rsp without moving it. */
#define RED_ZONE 128

/* The bit of XSAVE's mask for the upper halves of ymm. */
#define XCR0_AVX 4

/* The layout of a FXSAVE and XSAVE area. */
#define XSAVE_HEADER 512

/* ------------------------------------------------------------------------
 * runtime.asyncPreempt: not a function that anybody calls.
 *
 * The handler makes it look as if the interrupted instruction had called it: rsp
 * is below the red zone, on the address of that instruction. It saves all that a
 * goroutine can see of the CPU, calls asyncPreempt2, which gives way, puts
 * everything back and goes on with that instruction, maybe on another thread. In
 * between the CPU is as the ABI wants it at a call, since what another goroutine
 * finds behind its own call of mcall is what we leave here.
 *
 * in: g = a goroutine, g.locks counted up by the handler; preserves everything
 *
 *            | the goroutine's own     | <- CFA, the interrupted rsp
 *            | red zone, 128 bytes     |
 *            | interrupted rip         | <- CFA - 136, rsp at the entry
 *      rbp-> | rbp                     |    CFA - 144
 *            | rflags                  |    CFA - 152
 *            | rax, rcx, rdx, rbx, rsi |    CFA - 160 ..
 *            | rdi, r8 .. r15          |    .. CFA - 264
 *            | (up to 63 bytes)        |
 *            | vector state, XSAVE's   |
 *      rsp-> |  or FXSAVE's layout     |    divisible by 64
 *            | asyncPreempt2's frames  |
 *
 * A signal frame, for debuggers: rip above is the next instruction, not the one
 * behind a call. From the first push to the last pop all slots hold what they
 * say: a register that has been popped is still in the red zone of ours.
 *
 * The handler leaves alone whoever is in here, by the two labels: a second one
 * on top, while the first puts registers back, would cost stack for nothing.
 */
        .section .text.runtime.asyncPreempt, "ax", @progbits
        .globl  runtime.asyncPreempt
        .type   runtime.asyncPreempt, @function
runtime.asyncPreempt:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, RED_ZONE + 8
        .cfi_offset rip, -136
        push    rbp                     /* no push and no mov changes the flags */
        .cfi_def_cfa_offset RED_ZONE + 16
        .cfi_offset rbp, -144
        mov     rbp, rsp
        .cfi_def_cfa_register rbp       /* from here the CFA is rbp + 144 */
        pushfq
        .cfi_offset 49, -152            /* DWARF's number of rflags */
        push    rax
        .cfi_offset rax, -160
        push    rcx
        .cfi_offset rcx, -168
        push    rdx
        .cfi_offset rdx, -176
        push    rbx
        .cfi_offset rbx, -184
        push    rsi
        .cfi_offset rsi, -192
        push    rdi
        .cfi_offset rdi, -200
        push    r8
        .cfi_offset r8, -208
        push    r9
        .cfi_offset r9, -216
        push    r10
        .cfi_offset r10, -224
        push    r11
        .cfi_offset r11, -232
        push    r12
        .cfi_offset r12, -240
        push    r13
        .cfi_offset r13, -248
        push    r14
        .cfi_offset r14, -256
        push    r15
        .cfi_offset r15, -264

        cld                             /* the ABI's state at a call */
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
        test    eax, XCR0_AVX
        jz      .Lclean
        vzeroupper                      /* or another's SSE code would run slowly */
.Lclean:
        fninit                          /* x87 empty, and how to round as at a call: */
        ldmxcsr .Lmxcsr[rip]            /* a goroutine that mcall left takes it over */
        call    runtime.asyncPreempt2
        mov     eax, runtime.xsaveMask[rip]
        xor     edx, edx
        xrstor64 [rsp]
        jmp     .Lrestored
.Lfxsave:
        fxsave64 [rsp]
        fninit                          /* as above */
        ldmxcsr .Lmxcsr[rip]
        call    runtime.asyncPreempt2
        fxrstor64 [rsp]

.Lrestored:
        lea     rsp, [rbp - 15 * 8]
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rbx
        pop     rdx
        pop     rcx
        pop     rax
        popfq                           /* nothing behind it changes the flags */
        pop     rbp
        .cfi_def_cfa rsp, RED_ZONE + 8
        ret     RED_ZONE                /* over the red zone, back to where it was */
        .cfi_endproc
        .size   runtime.asyncPreempt, . - runtime.asyncPreempt
        .globl  runtime.easyncPreempt
runtime.easyncPreempt:

        .section .rodata.runtime.asyncPreempt, "a", @progbits
        .balign 4
.Lmxcsr:
        .long   0x1f80                  /* as a program starts: all exceptions masked */

/* ------------------------------------------------------------------------
 * runtime.sigPreemptTramp: extern "C" fn(signal: i32, info: *siginfo, context: *mut ucontext)
 *
 * What the kernel calls for SIGURG, on the M's signal stack: aligns the stack,
 * which QEMU's user mode (7.2) does not, and goes on in Rust. Like sigtramp, but
 * a program with one goroutine has the other alone.
 *
 * in: rdx = context; preserves what the ABI says
 */
        .section .text.runtime.sigPreemptTramp, "ax", @progbits
        .globl  runtime.sigPreemptTramp
        .type   runtime.sigPreemptTramp, @function
runtime.sigPreemptTramp:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        and     rsp, -16
        mov     rdi, rdx
        call    runtime.doSigPreempt
        leave
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.sigPreemptTramp, . - runtime.sigPreemptTramp

/* ------------------------------------------------------------------------
 * runtime.preemptText: static [usize; 8]
 *
 * Where code lies: asyncPreempt, Gosched, all of the program, the allocator. Here, since
 * Rust has no weak symbols: a linker script without the allocator's labels leaves
 * zeros, and nothing is preempted.
 */
        .weak   runtime.malloctext
        .weak   runtime.emalloctext
        .section .rodata.runtime.preemptText, "a", @progbits
        .balign 8
        .globl  runtime.preemptText
        .type   runtime.preemptText, @object
        .size   runtime.preemptText, 64
runtime.preemptText:
        .quad   runtime.asyncPreempt, runtime.easyncPreempt
        .quad   runtime.Gosched, runtime.eGosched
        .quad   runtime.text, runtime.etext
        .quad   runtime.malloctext, runtime.emalloctext

        .section .note.GNU-stack, "", @progbits
