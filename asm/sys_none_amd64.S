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

        .section .note.GNU-stack, "", @progbits
