/*
 * The ELF entry on Linux: the program's first instruction.
 *
 * The kernel jumps here with nothing but a stack (System V ABI, amd64, 3.4.1):
 *
 *       rsp -> argc
 *              argv[0] .. argv[argc-1], 0
 *              envp[0] .. , 0
 *              auxv[0] .. , AT_NULL
 *
 * Go's counterpart: runtime/rt0_linux_amd64.s.
 */
        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */
        .section .text.rt0, "ax", @progbits

        .globl  _rt0_amd64_linux
        .type   _rt0_amd64_linux, @function
_rt0_amd64_linux:
        .cfi_startproc
        .cfi_undefined rip              /* a root: nobody called this */
        jmp     _rt0_amd64
        .cfi_endproc
        .size   _rt0_amd64_linux, . - _rt0_amd64_linux

        .section .note.GNU-stack, "", @progbits
