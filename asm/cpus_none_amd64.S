/*
 * The first instructions of a CPU that another one has started: from real mode to
 * runtime.cpuBegins in src/os/none/cpus.rs.
 *
 * Linux's counterpart: arch/x86/realmode/rm/trampoline_64.S.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

#define CR0_PE (1 << 0)
#define CR0_PG (1 << 31)
#define CR0_WP (1 << 16)
#define CR0_NE (1 << 5)
#define CR4_PAE (1 << 5)
#define MSR_EFER 0xc0000080

#define CODE64 8
#define DATA 16

/* Where it begins: a page that firmware needs no more, and no frame of anybody's. */
#define START_PAGE 0x8000
        .globl  runtime.startPage
        .set    runtime.startPage, START_PAGE

/* Where a label is in the copy, which is what runs. */
#define COPIED(label) (START_PAGE + label - runtime.cpuStart)

/* ------------------------------------------------------------------------
 * runtime.cpuStart: in a copy at START_PAGE, below the first megabyte, which is
 * mapped there, too. Goes from real mode to long mode in one step, with the page
 * tables of all, and takes the memory that is there for one CPU: where there is
 * none any more, this one has come too late.
 *
 * in: cs = START_PAGE / 16, interrupts off, real mode
 */
        .section .text.runtime.cpuStart, "ax", @progbits
        .balign 16
        .globl  runtime.cpuStart
        .type   runtime.cpuStart, @function
runtime.cpuStart:
        .code16
        cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, dword ptr ds:[COPIED(runtime.cpuTables)]
        mov     cr3, eax
        mov     ecx, MSR_EFER
        mov     eax, dword ptr ds:[COPIED(runtime.cpuEfer)]
        xor     edx, edx
        wrmsr
        lgdt    ds:[COPIED(.Lgdtr)]
        mov     eax, CR0_PE | CR0_NE | CR0_WP | CR0_PG
        mov     cr0, eax
        .byte   0x66, 0xea              /* a far jump, with 32 bits of address */
        .long   COPIED(.Llong)
        .word   CODE64

        .code64
.Llong:
        mov     eax, DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        mov     rbx, [COPIED(runtime.cpuMemory)] /* where to write that can be done */
        xchg    rax, [rbx]
        test    rax, rax
        jz      .Ltoolate
        mov     rsp, [COPIED(runtime.cpuStack)]
        mov     rbx, rax
        mov     rax, offset runtime.cpuEntry
        jmp     rax
.Ltoolate:
        cli
        hlt
        jmp     .Ltoolate

        .balign 8
.Lgdt:  .quad   0
        .quad   0x00af9b000000ffff      /* 64-bit code */
        .quad   0x008f93000000ffff      /* data */
.Lgdtr: .word   . - .Lgdt - 1
        .long   COPIED(.Lgdt)
        .balign 8

/* What the CPU that starts this one fills in, in the copy. */
        .globl  runtime.cpuTables
runtime.cpuTables:                      /* cr3 */
        .quad   0
        .globl  runtime.cpuEfer
runtime.cpuEfer:
        .quad   0
        .globl  runtime.cpuStack
runtime.cpuStack:
        .quad   0
        .globl  runtime.cpuMemory
runtime.cpuMemory:                      /* where it is written that the memory for */
        .quad   0                       /* a CPU is, or 0 */
        .globl  runtime.cpuStartEnd
runtime.cpuStartEnd:
        .size   runtime.cpuStart, . - runtime.cpuStart

/* ------------------------------------------------------------------------
 * in: rbx = the Cpu, rsp = the end of its idle stack; never returns
 */
        .section .text.runtime.cpuEntry, "ax", @progbits
        .type   runtime.cpuEntry, @function
        nop
runtime.cpuEntry:
        .cfi_startproc
        .cfi_undefined rip
        xor     ebp, ebp
        call    runtime.enableVectors
        mov     rdi, rbx
        call    runtime.cpuBegins
        ud2
        .cfi_endproc
        .size   runtime.cpuEntry, . - runtime.cpuEntry

        .section .note.GNU-stack, "", @progbits
