/*
 * What cannot be Rust where there is no system, beside the entries (rt0_none) and
 * the interrupts (trap_none): FS.
 *
 * Go's counterpart: runtime/sys_linux_amd64.s.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

#define MSR_FS_BASE 0xc0000100
#define CR4_FSGSBASE 16

/* ------------------------------------------------------------------------
 * runtime.settls: extern "C" fn(slot: *mut usize)
 *
 * Sets this CPU's FS so that the slot is at -8(FS).
 *
 * in: rdi = slot; clobbers rax, rcx, rsi, rdi
 */
        .section .text.runtime.settls, "ax", @progbits
        .globl  runtime.settls
        .type   runtime.settls, @function
runtime.settls:
        .cfi_startproc
        add     rdi, 8                  /* ELF's TLS ends where FS points */
        mov     rax, cr4                /* runtime.enableVectors has asked CPUID */
        bt      eax, CR4_FSGSBASE
        jnc     1f
        wrfsbase rdi
        ret
1:      mov     rsi, rdx                /* the caller's, to be kept */
        mov     rdx, rdi
        shr     rdx, 32
        mov     eax, edi
        mov     ecx, MSR_FS_BASE
        wrmsr
        mov     rdx, rsi
        ret
        .cfi_endproc
        .size   runtime.settls, . - runtime.settls

/* ------------------------------------------------------------------------
 * runtime.pageFaultStub: what the CPU enters for a page fault, on a stack of its
 * own, interrupts masked: gives the page, or ends the program.
 *
 *      | ss, rsp, rflags, cs, rip |  the CPU's
 *      | error code               |
 */
        .section .text.runtime.pageFaultStub, "ax", @progbits
        .globl  runtime.pageFaultStub
        .type   runtime.pageFaultStub, @function
runtime.pageFaultStub:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa rsp, 48
        push    rbp
        mov     rbp, rsp
        push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        cld
        sub     rsp, 512
        and     rsp, -64
        fxsave64 [rsp]
        mov     rdi, cr2
        mov     rsi, [rbp + 8]
        mov     rdx, [rbp + 16]
        call    runtime.onPageFault
        fxrstor64 [rsp]
        lea     rsp, [rbp - 9 * 8]
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        pop     rbp
        add     rsp, 8
        iretq
        .cfi_endproc
        .size   runtime.pageFaultStub, . - runtime.pageFaultStub

        .section .note.GNU-stack, "", @progbits
