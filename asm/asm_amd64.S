/*
 * What every amd64 system shares of the boot: the way from the entry into Rust,
 * thread-local storage, and the runtime's first variables. The switches between
 * stacks are in switch_amd64.S.
 *
 * Go's counterpart: runtime/asm_amd64.s.
 */
#include "go_asm.h"

        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

/* ------------------------------------------------------------------------
 * _rt0_amd64: from the kernel's stack to runtime.rt0_go, never back.
 *
 * in:  rsp -> argc, argv...; no other register holds anything
 * out: edi = argc, rsi = argv, rsp 16-byte aligned, g0's bounds set
 *
 *      high  | auxv, envp, argv, argc |  put there by the kernel
 *            +------------------------+  <- g0.stack.hi, rsp rounded down
 *            |  g0's stack, 64 KiB    |
 *            +------------------------+  <- g0.stack.lo
 *      low   |  the rest, still free  |
 */
        .section .text.rt0, "ax", @progbits

        .globl  _rt0_amd64
        .type   _rt0_amd64, @function
_rt0_amd64:
        .cfi_startproc
        .cfi_undefined rip
        mov     rdi, [rsp]              /* argc */
        lea     rsi, [rsp + 8]          /* argv */
        xor     ebp, ebp                /* the outermost frame, for rbp walkers */
        jmp     runtime.rt0_common
        .cfi_endproc
        .size   _rt0_amd64, . - _rt0_amd64

/* ------------------------------------------------------------------------
 * gort_start: extern "C" fn(argc: i32, argv: *const *const c_char) -> !
 *
 * The same from the main of a program that libc has started. argv must be the
 * kernel's own array, since environment and auxiliary vector are found behind
 * it. The weak `_cgo_init` must have been given a function.
 */
        .section .text.gort_start, "ax", @progbits
        .globl  gort_start
        .type   gort_start, @function
gort_start:
        .cfi_startproc
        .cfi_undefined rip
        movsxd  rdi, edi
        jmp     runtime.rt0_common
        .cfi_endproc
        .size   gort_start, . - gort_start

/* in: rdi = argc, rsi = argv; clobbers everything */
        .section .text.rt0, "ax", @progbits
        .globl  runtime.rt0_common
        .type   runtime.rt0_common, @function
runtime.rt0_common:
        .cfi_startproc
        .cfi_undefined rip
        and     rsp, -16
        mov     r12, rdi
        mov     r13, rsi

#ifndef GORT_NONE                       /* whose entry has counted from its own first */
        rdtsc                           /* boottrace counts from here */
        shl     rdx, 32
        or      rax, rdx
        mov     runtime.bootTicks[rip], rax
#endif

        /* carve g0's stack out of the one that we were given */
        lea     rdi, runtime.g0[rip]
        lea     rax, [rsp - G0_STACK]
        mov     [rdi + g_stack_lo], rax
        mov     [rdi + g_stack_hi], rsp
        add     rax, STACK_GUARD
        mov     [rdi + g_stackguard0], rax
        mov     [rdi + g_stackguard1], rax

        /* which processor is this? */
        xor     eax, eax
        cpuid
        mov     runtime.cpuidMax[rip], eax
        test    eax, eax
        jz      .Lnocpuinfo
        cmp     ebx, 0x756e6547         /* "Genu" */
        jne     .Lnotintel
        cmp     edx, 0x49656e69         /* "ineI" */
        jne     .Lnotintel
        cmp     ecx, 0x6c65746e         /* "ntel" */
        jne     .Lnotintel
        mov     byte ptr runtime.isIntel[rip], 1
        mov     byte ptr runtime.lfenceBeforeRdtsc[rip], 1
.Lnotintel:
        mov     eax, 1
        xor     ecx, ecx
        cpuid
        mov     runtime.processorVersionInfo[rip], eax
        mov     runtime.cpuid_ecx[rip], ecx
        mov     runtime.cpuid_edx[rip], edx
.Lnocpuinfo:

#if GOAMD64 >= 2 && !defined(GORT_NONE)  /* whose entry has, before its Rust */
        call    runtime.checkLevel
#endif

        mov     edi, r12d
        mov     rsi, r13
        call    runtime.rt0_go
        call    runtime.abort           /* never reached */
        ud2
        .cfi_endproc
        .size   runtime.rt0_common, . - runtime.rt0_common

#if GOAMD64 >= 2
/* ------------------------------------------------------------------------
 * runtime.checkLevel: this program was compiled for x86-64-v2 or later: end it
 * here, with Go's text and status 1, where the CPU has less. There is no TLS
 * and no runtime yet: two bare system calls, or what src/os/none/ has for it.
 *
 * in: nothing; clobbers rax, rbx, rcx, rdx, rdi, rsi, r11
 */
#if GOAMD64 >= 4
#define LEVEL "4"
#elif GOAMD64 >= 3
#define LEVEL "3"
#else
#define LEVEL "2"
#endif
/* leaf 1 ecx: SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT */
#define V2_ECX ((1 << 0) | (1 << 9) | (1 << 13) | (1 << 19) | (1 << 20) | (1 << 23))
/* leaf 1 ecx: FMA MOVBE OSXSAVE AVX F16C */
#define V3_ECX ((1 << 12) | (1 << 22) | (1 << 27) | (1 << 28) | (1 << 29))
/* leaf 7 ebx: BMI1 AVX2 BMI2; for 4 also AVX512 F DQ CD BW VL */
#define V3_EBX ((1 << 3) | (1 << 5) | (1 << 8))
#define V4_EBX ((1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31))

#ifdef GORT_NONE
        .globl  runtime.checkLevel
#endif
        .type   runtime.checkLevel, @function
runtime.checkLevel:
        .cfi_startproc
        mov     eax, runtime.cpuid_ecx[rip]
        mov     ecx, V2_ECX
        and     eax, ecx
        cmp     eax, ecx
        jne     .Lbadlevel
#if GOAMD64 >= 3
        mov     eax, runtime.cpuid_ecx[rip]
        mov     ecx, V3_ECX
        and     eax, ecx
        cmp     eax, ecx
        jne     .Lbadlevel
        cmp     dword ptr runtime.cpuidMax[rip], 7
        jb      .Lbadlevel
        mov     eax, 7
        xor     ecx, ecx
        cpuid
        mov     esi, ebx
        and     ebx, V3_EBX
        cmp     ebx, V3_EBX
        jne     .Lbadlevel
        mov     eax, 0x80000001         /* ecx: LAHF LZCNT */
        xor     ecx, ecx
        cpuid
        and     ecx, 0x21
        cmp     ecx, 0x21
        jne     .Lbadlevel
        xor     ecx, ecx
        xgetbv                          /* the system saves xmm and ymm */
        mov     ecx, eax
        and     eax, 6
        cmp     eax, 6
        jne     .Lbadlevel
#if GOAMD64 >= 4
        mov     eax, V4_EBX
        and     esi, eax
        cmp     esi, eax
        jne     .Lbadlevel
        and     ecx, 0xe0               /* opmask and zmm */
        cmp     ecx, 0xe0
        jne     .Lbadlevel
#endif
#endif
        ret
.Lbadlevel:
#ifdef GORT_NONE
        mov     esi, offset .Lbadtext
        jmp     runtime.refuseToBoot    /* ends with status 1 */
#else
        mov     eax, 1                  /* write(2, .Lbadtext, ...) */
        mov     edi, 2
        lea     rsi, .Lbadtext[rip]
        mov     edx, offset .Lbadtextend - .Lbadtext
        syscall
        mov     eax, 231                /* exit_group(1) */
        mov     edi, 1
        syscall
        ud2
#endif
        .cfi_endproc
        .size   runtime.checkLevel, . - runtime.checkLevel

        .section .rodata.badlevel, "a", @progbits
.Lbadtext:
        .ascii  "This program can only be run on AMD64 processors with v" LEVEL " microarchitecture support.\n"
.Lbadtextend:
#ifdef GORT_NONE
        .byte   0
#endif
#endif

/* ------------------------------------------------------------------------
 * runtime.needtls: extern "C" fn()
 *
 * Gives this thread its thread-local storage, proves that it works, and makes
 * g0 and m0 known to each other and to the thread. rt0_go calls it before
 * anything that could ask for g.
 *
 * The block is m0.tls where the slot of g is all there is in it. Where the
 * program has more (C's __thread), linker.ld has left room for it in .bss:
 *
 *      runtime.tlsblock         FS = runtime.tlsblock + runtime.tlssize
 *      | .tdata | .tbss, zeros  | FS | ... | canary at FS:0x28 | ... |
 *
 * clobbers rax, rcx, rdx, rsi, rdi, r8-r11
 */
        .section .text.runtime.needtls, "ax", @progbits
        .globl  runtime.needtls
        .type   runtime.needtls, @function
runtime.needtls:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp

        mov     rax, _cgo_init[rip]
        test    rax, rax
        jz      .Lneedtls

        /* A libc hosts us: its thread has TLS, and our slot is in its block. */
        lea     rdi, runtime.g0[rip]
        lea     rsi, setg_gcc[rip]
        call    rax
        lea     rcx, runtime.g0[rip]    /* _cgo_init may have set stack.lo */
        mov     rax, [rcx + g_stack_lo]
        add     rax, STACK_GUARD
        mov     [rcx + g_stackguard0], rax
        mov     [rcx + g_stackguard1], rax
        jmp     .Lok

.Lneedtls:
        mov     edi, offset runtime.tlsblock    /* null: the slot alone */
        test    edi, edi
        jnz     .Lothertls
        lea     rdi, runtime.m0[rip + m_tls]
        call    runtime.settls
        lea     rax, runtime.m0[rip + m_tls + 8]
        mov     [rax], rax              /* FS:0 holds its own address */

        /* Store through the slot, to make sure that it works. */
        mov     qword ptr fs:[runtime.tlsg@tpoff], 0x123
        cmp     qword ptr runtime.m0[rip + m_tls], 0x123
        je      .Lok
.Lbadslot:
        call    runtime.abort

.Lok:
        lea     rcx, runtime.g0[rip]
        lea     rax, runtime.m0[rip]
        mov     fs:[runtime.tlsg@tpoff], rcx
        mov     [rax + m_g0], rcx
        mov     [rcx + g_m], rax
        cld                             /* the ABI wants DF clear */
        pop     rbp
        .cfi_def_cfa rsp, 8
        ret

.Lothertls:
        .cfi_def_cfa rbp, 16
        lea     rdx, [rdi + runtime.tlssize]
        mov     [rdx], rdx              /* FS:0 holds its own address */
        mov     esi, offset runtime.tdata
        mov     ecx, offset runtime.etdata
        sub     ecx, esi
        cld
        rep movsb                       /* behind it all is zero, as .bss is */
        lea     rdi, [rdx - 8]          /* settls adds 8, and keeps rdx */
        call    runtime.settls
        mov     qword ptr fs:[runtime.tlsg@tpoff], 0x123
        cmp     qword ptr [rdx + runtime.tlsg@tpoff], 0x123
        je      .Lok
        jmp     .Lbadslot
        .cfi_endproc
        .size   runtime.needtls, . - runtime.needtls

/* __stack_chk_fail: extern "C" fn() -> !. What C calls that is compiled with
   -fstack-protector, when the canary has changed. Tail call, so rsp is right. */
        .section .text.__stack_chk_fail, "ax", @progbits
        .weak   __stack_chk_fail
        .type   __stack_chk_fail, @function
__stack_chk_fail:
        .cfi_startproc
        jmp     runtime.stackChkFail
        .cfi_endproc
        .size   __stack_chk_fail, . - __stack_chk_fail

/* setg_gcc: extern "C" fn(gp: *G). What _cgo_init gets to set g with. */
        .section .text.setg_gcc, "ax", @progbits
        .type   setg_gcc, @function
setg_gcc:
        .cfi_startproc
        mov     fs:[runtime.tlsg@tpoff], rdi
        ret
        .cfi_endproc
        .size   setg_gcc, . - setg_gcc

/* ------------------------------------------------------------------------
 * main.main for a program that has main_main instead: linked only where no
 * main! has made a main.main. It has no `.type`: the assembler would describe
 * it to the debugger as a function, and where there is another main.main, the
 * linker would put that description onto the other.
 */
        .section .text.main.main, "ax", @progbits
        .weak   main.main
main.main:
        .cfi_startproc
        push    rbp
        .cfi_def_cfa_offset 16
        .cfi_offset rbp, -16
        mov     rbp, rsp
        .cfi_def_cfa_register rbp
        call    main_main
        pop     rbp
        .cfi_def_cfa rsp, 8
        ret
        .cfi_endproc
        .size   main.main, . - main.main

/* Never called: panics end the process. The prebuilt core refers to it. */
        .section .text.rust_eh_personality, "ax", @progbits
        .weak   rust_eh_personality
        .type   rust_eh_personality, @function
rust_eh_personality:
        ud2
        .size   rust_eh_personality, . - rust_eh_personality

/* The same for the prebuilt alloc, whose landing pads end in it. */
        .section .text._Unwind_Resume, "ax", @progbits
        .weak   _Unwind_Resume
        .type   _Unwind_Resume, @function
_Unwind_Resume:
        ud2
        .size   _Unwind_Resume, . - _Unwind_Resume

/* ------------------------------------------------------------------------
 * Data
 */
        .macro  variable name, size
        .section .bss.\name, "aw", @nobits
        .balign 8
        .globl  \name
        .type   \name, @object
        .size   \name, \size
\name:
        .zero   \size
        .endm

        variable runtime.isIntel, 1
        variable runtime.lfenceBeforeRdtsc, 1
        variable runtime.processorVersionInfo, 4
        variable runtime.cpuidMax, 4
        variable runtime.cpuid_ecx, 4
        variable runtime.cpuid_edx, 4
        variable runtime.bootTicks, 8

/* A function where a libc hosts the program, else null. */
        .section .bss._cgo_init, "aw", @nobits
        .balign 8
        .weak   _cgo_init
        .type   _cgo_init, @object
        .size   _cgo_init, 8
_cgo_init:
        .zero   8

/* The entry of the first goroutine, as a datum, as Go has it. */
        .section .rodata.runtime.mainPC, "a", @progbits
        .balign 8
        .globl  runtime.mainPC
        .type   runtime.mainPC, @object
        .size   runtime.mainPC, 8
runtime.mainPC:
        .quad   runtime.main

/* The current g of each thread. */
        .section .tbss.runtime.tlsg, "awT", @nobits
        .balign 8
        .globl  runtime.tlsg
        .type   runtime.tlsg, @tls_object
        .size   runtime.tlsg, 8
runtime.tlsg:
        .zero   8

        .section .note.GNU-stack, "", @progbits
