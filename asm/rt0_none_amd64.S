/*
 * The entries where there is no system: the machine's CPU as a virtual machine
 * monitor leaves it, up to the jump to _rt0_amd64.
 *
 *   runtime.pvhStart   32-bit protected mode, no paging: PVH (Xen's HVM direct
 *                      boot ABI), which QEMU's -kernel, Cloud Hypervisor and
 *                      Xen know by the ELF note; ebx -> hvm_start_info
 *   _rt0_amd64_none    e_entry, 64-bit long mode: Linux's 64-bit boot protocol,
 *                      which Firecracker knows; rsi -> boot_params, and the
 *                      image and what rsi leads to mapped one to one
 *
 * Both come here, on one CPU, with interrupts masked and all of the image in
 * place, zeros of .bss included (the note's loaders clear it, as ELF says):
 *
 *   pvhStart --> page tables, long mode --+
 *                                         +--> SSE, AVX --> runtime.machineStart
 *   _rt0_amd64_none ----> page tables ----+                  src/os/none/start.rs:
 *                                                            memory, clock, a stack
 *                                                            like Linux's
 *                                               _rt0_amd64 <--+
 *
 * The page tables here are for the way alone: the first gigabyte, one to one,
 * everything allowed. machineStart makes those that stay.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_PG (1 << 31)

#define CR4_PAE (1 << 5)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define CR4_FSGSBASE_BIT 16
#define CR4_OSXSAVE (1 << 18)

#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

/* CPUID says of NX, and how far that is from EFER_NXE. */
#define NX (1 << 20)
#define NX_TO_NXE 9

/* A page table's entry: present, writable; and a page of 2 MiB. */
#define PAGE_PW 3
#define PAGE_2M 0x80

/* The segments of long mode, which machineStart replaces by the like. */
#define CODE64 8
#define DATA 16

/* What rdi says about rsi, for machineStart. */
#define BY_PVH 0
#define BY_LINUX 1

/* The stack until there is a better one; then m0's traps run on it. */
#define BOOT_STACK 0x4000

/* ------------------------------------------------------------------------
 * The note: XEN_ELFNOTE_PHYS32_ENTRY, the address to enter at.
 */
        .section .note.pvh, "a", @note
        .balign 4
        .long   4, 4, 18                /* sizes of name and contents; the type */
        .asciz  "Xen"
        .long   runtime.pvhStart

/* ------------------------------------------------------------------------
 * in: ebx -> hvm_start_info; cs and ds are flat, no stack, no interrupts
 */
        .section .text.rt0, "ax", @progbits
        .code32
        .globl  runtime.pvhStart
        .type   runtime.pvhStart, @function
runtime.pvhStart:
        cli
        cld
        mov     esp, offset runtime.bootStack + BOOT_STACK
        rdtsc                           /* boottrace counts from here */
        mov     runtime.bootTicks, eax
        mov     runtime.bootTicks + 4, edx
        mov     esi, ebx                /* which CPUID would overwrite */

        mov     eax, 0x80000000         /* is there a long mode at all? */
        cpuid
        cmp     eax, 0x80000001
        jb      .Lnolongmode
        mov     eax, 0x80000001
        cpuid
        bt      edx, 29
        jnc     .Lnolongmode
        mov     edi, edx                /* bit 20: NX */

        mov     eax, offset runtime.bootPdpt + PAGE_PW
        mov     runtime.bootPml4, eax
        mov     eax, offset runtime.bootPd + PAGE_PW
        mov     runtime.bootPdpt, eax
        mov     eax, PAGE_PW + PAGE_2M
        xor     ecx, ecx
1:      mov     [runtime.bootPd + 8 * ecx], eax
        add     eax, 0x200000
        inc     ecx
        cmp     ecx, 512
        jne     1b

        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, offset runtime.bootPml4
        mov     cr3, eax
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_LME
        and     edi, NX                 /* no branch: an emulator takes longer for one */
        shr     edi, NX_TO_NXE
        or      eax, edi
        wrmsr
        mov     eax, CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG
        mov     cr0, eax
        lgdt    [.Lgdtr]
        .byte   0xea                    /* jmp CODE64:.Llongmode */
        .long   .Llongmode
        .word   CODE64

.Lnolongmode:
        mov     esi, offset .Lnolongmodetext
        jmp     runtime.refuseToBoot
        .size   runtime.pvhStart, . - runtime.pvhStart

/* ------------------------------------------------------------------------
 * runtime.refuseToBoot: writes a text to the serial port and ends with status 1,
 * where Rust cannot be relied on. What it is made of means the same in 32-bit and
 * in 64-bit mode.
 *
 * in: esi -> the text, which ends with a NUL; never returns
 */
        .globl  runtime.refuseToBoot
        .type   runtime.refuseToBoot, @function
runtime.refuseToBoot:
        mov     dx, 0x3f8
1:      lodsb
        test    al, al
        jz      3f
        mov     ah, al
        add     dx, 5                   /* is there room for a byte? */
        mov     ecx, 0xffff
2:      in      al, dx
        test    al, 0x20
        loopz   2b
        sub     dx, 5
        mov     al, ah
        out     dx, al
        jmp     1b
3:      mov     eax, 1                  /* isa-debug-exit */
        mov     dx, 0xf4
        out     dx, eax
        mov     al, 6                   /* no such device: reset, by the chipset and by */
        mov     dx, 0xcf9               /* the keyboard controller */
        out     dx, al
        mov     al, 0xfe
        out     0x64, al
4:      hlt
        jmp     4b
        .size   runtime.refuseToBoot, . - runtime.refuseToBoot

/* ------------------------------------------------------------------------
 * in: rsi -> boot_params, in long mode; nothing else is known
 */
        .code64
        .globl  _rt0_amd64_none
        .type   _rt0_amd64_none, @function
_rt0_amd64_none:
        .cfi_startproc
        .cfi_undefined rip              /* a root: nobody called this */
        cli
        cld
        rdtsc
        mov     runtime.bootTicks[rip], eax
        mov     runtime.bootTicks[rip + 4], edx
        mov     esp, offset runtime.bootStack + BOOT_STACK
        mov     r13, rsi
        mov     eax, 0x80000001
        cpuid
        mov     edi, edx

        mov     eax, offset runtime.bootPdpt + PAGE_PW
        mov     runtime.bootPml4[rip], rax
        mov     eax, offset runtime.bootPd + PAGE_PW
        mov     runtime.bootPdpt[rip], rax
        mov     eax, PAGE_PW + PAGE_2M
        xor     ecx, ecx
1:      mov     [runtime.bootPd + 8 * rcx], rax
        add     eax, 0x200000
        inc     ecx
        cmp     ecx, 512
        jne     1b

        mov     ecx, MSR_EFER           /* the tables that stay have NX */
        rdmsr
        and     edi, NX
        shr     edi, NX_TO_NXE
        or      eax, edi
        wrmsr
        mov     rax, cr4
        and     eax, ~(1 << 17 | 1 << 12) /* no PCIDs, no fifth level (that one is so) */
        or      eax, CR4_PAE
        mov     cr4, rax
        mov     eax, offset runtime.bootPml4
        mov     cr3, rax
        lgdt    .Lgdtr64[rip]
        push    CODE64
        lea     rax, .Llinux[rip]
        push    rax
        retfq
.Llinux:
        mov     rsi, r13
        mov     edi, BY_LINUX
        jmp     .Lstart
.Llongmode:
        mov     esi, esi
        mov     edi, BY_PVH
.Lstart:
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        xor     ebp, ebp
        mov     r12, rdi
        mov     r13, rsi
        mov     eax, DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        call    runtime.enableVectors
#if GOAMD64 >= 2
        xor     eax, eax                /* what runtime.checkLevel wants to know */
        cpuid
        mov     runtime.cpuidMax[rip], eax
        mov     eax, 1
        cpuid
        mov     runtime.cpuid_ecx[rip], ecx
        call    runtime.checkLevel
#endif
        mov     rdi, r12
        mov     rsi, r13
        call    runtime.machineStart    /* returns a stack like Linux's */
        mov     rsp, rax
        jmp     _rt0_amd64
        .cfi_endproc
        .size   _rt0_amd64_none, . - _rt0_amd64_none

/* ------------------------------------------------------------------------
 * runtime.enableVectors: extern "C" fn()
 *
 * Has this CPU run what Rust and users' code is made of: x87, SSE, and of AVX
 * what there is; not AMX, whose state is larger than a goroutine's stack should
 * have to hold. And WRFSBASE, where there is one. For each CPU, before its first
 * Rust code.
 *
 * clobbers rax, rcx, rdx, rsi, rdi
 */
        .globl  runtime.enableVectors
        .type   runtime.enableVectors, @function
runtime.enableVectors:
        .cfi_startproc
        push    rbx
        .cfi_def_cfa_offset 16
        .cfi_offset rbx, -16
        mov     rax, cr0
        and     eax, ~(CR0_EM | CR0_TS)
        or      eax, CR0_MP | CR0_NE | CR0_WP
        mov     cr0, rax
        mov     rsi, cr4
        or      esi, CR4_OSFXSR | CR4_OSXMMEXCPT
        xor     eax, eax
        cpuid
        cmp     eax, 7
        jb      1f
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        and     ebx, 1                  /* FSGSBASE */
        shl     ebx, CR4_FSGSBASE_BIT
        or      esi, ebx
1:      mov     eax, 1
        cpuid
        bt      ecx, 26                 /* XSAVE */
        jnc     3f
        or      esi, CR4_OSXSAVE
        mov     cr4, rsi
        mov     eax, 0xd
        xor     ecx, ecx
        cpuid
        and     eax, 0xe7               /* x87, SSE, AVX; the three of AVX-512 */
        mov     edx, eax
        and     edx, 3
        bt      eax, 2
        cmovnc  eax, edx                /* without AVX there is none of the others */
        mov     edx, eax
        and     edx, 7
        mov     ecx, eax
        and     ecx, 0xe0
        cmp     ecx, 0xe0
        cmovne  eax, edx                /* AVX-512's three come together or not at all */
        xor     edx, edx
        xor     ecx, ecx
        xsetbv
        jmp     5f
3:      mov     cr4, rsi
5:      fninit
        ldmxcsr .Lmxcsr[rip]
        pop     rbx
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
        .size   runtime.enableVectors, . - runtime.enableVectors

        .section .rodata.rt0, "a", @progbits
        .balign 8
.Lgdt:  .quad   0
        .quad   0x00af9b000000ffff      /* 64-bit code */
        .quad   0x008f93000000ffff      /* data; without the size that only 32-bit code asks for */
.Lgdtr: .word   . - .Lgdt - 1
        .long   .Lgdt
.Lgdtr64:
        .word   .Lgdtr - .Lgdt - 1
        .quad   .Lgdt
        .balign 4
.Lmxcsr:
        .long   0x1f80                  /* all exceptions masked, to nearest */
.Lnolongmodetext:
        .asciz  "gort: this CPU has no 64-bit mode\n"

/* ------------------------------------------------------------------------
 * Data
 */
        .macro  area name, size
        .section .bss.\name, "aw", @nobits
        .balign 4096
        .globl  \name
        .type   \name, @object
        .size   \name, \size
\name:
        .zero   \size
        .endm

        area    runtime.bootPml4, 4096
        area    runtime.bootPdpt, 4096
        area    runtime.bootPd, 4096
        area    runtime.bootStack, BOOT_STACK

        .section .note.GNU-stack, "", @progbits
