/*
 * The way onto another piece of stack: gort::stack::grow, the morestack that a
 * program calls by itself.
 *
 * Go's counterparts: runtime.morestack and runtime.lessstack of Go 1.2, which
 * had stacks in segments: there each function's prologue called the first, and
 * the function returned into the second. Here both are one routine, with the
 * function that runs on the segment in the middle.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

/* Where the bounds are in a runtime.stack. */
#define stack_lo 0
#define stack_hi (g_stack_hi - g_stack_lo)

/* ------------------------------------------------------------------------
 * runtime.morestack: extern "C" fn(fn: extern "C" fn(arg: *mut u8), arg: *mut u8, stack: *const Stack)
 *
 * Calls fn(arg) on the segment whose bounds are in stack, and comes back. While
 * fn runs, g.stack and g.stackguard0 describe the segment, and stack has the
 * bounds of what the goroutine left: the two are exchanged, and exchanged again.
 * fn may switch away, and come back on another thread.
 *
 * in: rdi = fn, rsi = arg, rdx = stack, 16-byte aligned, at the top of the
 * segment: fn's frames begin right below; g = a goroutine
 * preserves what the ABI says
 *
 *      what the goroutine left:               the segment, anywhere else:
 *            | return address | <- CFA - 8          | stack: lo, hi  | <- rbx
 *      rbp-> | caller's rbp   |               rsp-> | fn's frames    |
 *            | rbx            |                     |                |
 *            | r12            |
 *
 * From one stack to the other only rsp changes, the CFA stays rbp + 16: debuggers
 * and whoever follows the frame pointers go over the seam without noticing. The
 * bounds and rsp change with no push between them, since a push may be what finds
 * the end of the old stack, and is recognised by the bounds. For the name in the
 * middle see runtime.systemstack in switch_amd64.S.
 */
        .section .text.runtime.morestack, "ax", @progbits
        .globl  runtime.morestack
        .type   runtime.morestack, @function
runtime.morestack:
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

        mov     rbx, rdx
        mov     r12, fs:[runtime.tlsg@tpoff] /* this goroutine's, on any thread */
        mov     rax, rdi
        mov     rdi, rsi
        mov     rcx, [rbx + stack_lo]
        mov     rdx, [rbx + stack_hi]
        mov     r8, [r12 + g_stack_lo]
        mov     r9, [r12 + g_stack_hi]
        mov     [rbx + stack_lo], r8
        mov     [rbx + stack_hi], r9
        mov     [r12 + g_stack_lo], rcx
        mov     [r12 + g_stack_hi], rdx
        add     rcx, STACK_GUARD
        mov     [r12 + g_stackguard0], rcx
        mov     rsp, rbx
        .type   __morestack, @function
__morestack:
        call    rax

        mov     rcx, [rbx + stack_lo]
        mov     rdx, [rbx + stack_hi]
        mov     r8, [r12 + g_stack_lo]
        mov     r9, [r12 + g_stack_hi]
        mov     [rbx + stack_lo], r8
        mov     [rbx + stack_hi], r9
        mov     [r12 + g_stack_lo], rcx
        mov     [r12 + g_stack_hi], rdx
        add     rcx, STACK_GUARD
        mov     [r12 + g_stackguard0], rcx
        lea     rsp, [rbp - 16]
        .size   __morestack, . - __morestack
        pop     r12
        pop     rbx
        pop     rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   runtime.morestack, . - runtime.morestack

        .section .note.GNU-stack, "", @progbits
