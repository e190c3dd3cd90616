/*
 * The six routines of C's library that compiled Rust and C call unasked. They
 * are written here since a loop in Rust may be compiled into a call of itself.
 * All are weak: a program with a libc keeps libc's.
 *
 * Small sizes are copied by two overlapping loads and stores, middle ones by
 * 32 bytes a round, large ones by `rep movsb`, which is the fastest way on any
 * CPU with ERMS, that is all since 2013.
 *
 * Go's counterparts: runtime/memmove_amd64.s, memclr_amd64.s.
 */
        .intel_syntax noprefix
        .cfi_sections .debug_frame      /* for debuggers; strip removes it */

        .macro  routine name
        .section .text.\name, "ax", @progbits
        .weak   \name
        .type   \name, @function
        .balign 16
\name:
        .cfi_startproc
        .endm

        .macro  end_routine name
        .cfi_endproc
        .size   \name, . - \name
        .endm

/* memcpy(rdi = to, rsi = from, rdx = length) -> rax = to; clobbers rcx, rdx,
 * rsi, rdi, r8, xmm0-xmm3. The same as memmove for what may not overlap; one
 * routine would do, but a backtrace should name what was called. */
        routine memcpy
        jmp     .Lmove
        end_routine memcpy

/* memmove: the same, and the two ranges may overlap. */
        routine memmove
.Lmove:
        mov     rax, rdi
        cmp     rdx, 16
        jb      .Lmove_small
        cmp     rdx, 32
        ja      .Lmove_more
        movups  xmm0, [rsi]             /* 16..32: both ends, loaded first */
        movups  xmm1, [rsi + rdx - 16]
        movups  [rdi], xmm0
        movups  [rdi + rdx - 16], xmm1
        ret
.Lmove_small:
        cmp     edx, 8
        jae     .Lmove_8
        cmp     edx, 4
        jae     .Lmove_4
        test    edx, edx
        jz      .Lmove_done
        movzx   ecx, byte ptr [rsi]     /* 1..3: first, last, and the middle */
        movzx   r8d, byte ptr [rsi + rdx - 1]
        cmp     edx, 3
        jb      .Lmove_2
        movzx   esi, byte ptr [rsi + 1]
        mov     [rdi + 1], sil
.Lmove_2:
        mov     [rdi], cl
        mov     [rdi + rdx - 1], r8b
.Lmove_done:
        ret
.Lmove_4:
        mov     ecx, [rsi]
        mov     r8d, [rsi + rdx - 4]
        mov     [rdi], ecx
        mov     [rdi + rdx - 4], r8d
        ret
.Lmove_8:
        mov     rcx, [rsi]
        mov     r8, [rsi + rdx - 8]
        mov     [rdi], rcx
        mov     [rdi + rdx - 8], r8
        ret
.Lmove_more:
        mov     rcx, rdi
        sub     rcx, rsi                /* to - from, as unsigned */
        cmp     rcx, rdx
        jb      .Lmove_backward         /* from < to < from + length */
        cmp     rdx, 512
        jae     .Lmove_rep
        movups  xmm2, [rsi + rdx - 32]  /* the tail, before it is overwritten */
        movups  xmm3, [rsi + rdx - 16]
        lea     r8, [rdi + rdx - 32]
.Lmove_forward_loop:
        movups  xmm0, [rsi]
        movups  xmm1, [rsi + 16]
        movups  [rdi], xmm0
        movups  [rdi + 16], xmm1
        add     rsi, 32
        add     rdi, 32
        cmp     rdi, r8
        jb      .Lmove_forward_loop
        movups  [r8], xmm2
        movups  [r8 + 16], xmm3
        ret
.Lmove_rep:
        mov     rcx, rdx
        rep movsb
        ret
.Lmove_backward:
        movups  xmm2, [rsi]             /* the head, before it is overwritten */
        movups  xmm3, [rsi + 16]
.Lmove_backward_loop:
        movups  xmm0, [rsi + rdx - 16]
        movups  xmm1, [rsi + rdx - 32]
        movups  [rdi + rdx - 16], xmm0
        movups  [rdi + rdx - 32], xmm1
        sub     rdx, 32
        cmp     rdx, 32
        ja      .Lmove_backward_loop
        movups  [rdi], xmm2
        movups  [rdi + 16], xmm3
        ret
        end_routine memmove

/* memset(rdi = to, esi = byte, rdx = length) -> rax = to; clobbers rcx, rdx,
 * rdi, rsi, r8, xmm0. */
        routine memset
        mov     r8, rdi
        movzx   eax, sil
        mov     rcx, 0x0101010101010101
        imul    rax, rcx
        cmp     rdx, 16
        jb      .Lset_small
        movq    xmm0, rax
        punpcklqdq xmm0, xmm0
        cmp     rdx, 512
        jae     .Lset_rep
        lea     rcx, [rdi + rdx - 16]
.Lset_loop:
        movups  [rdi], xmm0
        add     rdi, 16
        cmp     rdi, rcx
        jb      .Lset_loop
        movups  [rcx], xmm0
        mov     rax, r8
        ret
.Lset_rep:
        mov     rcx, rdx
        rep stosb
        mov     rax, r8
        ret
.Lset_small:
        cmp     edx, 8
        jae     .Lset_8
        cmp     edx, 4
        jae     .Lset_4
        test    edx, edx
        jz      .Lset_done
        mov     [rdi], al
        mov     [rdi + rdx - 1], al
        shr     edx
        mov     [rdi + rdx], al
.Lset_done:
        mov     rax, r8
        ret
.Lset_4:
        mov     [rdi], eax
        mov     [rdi + rdx - 4], eax
        mov     rax, r8
        ret
.Lset_8:
        mov     [rdi], rax
        mov     [rdi + rdx - 8], rax
        mov     rax, r8
        ret
        end_routine memset

/* memcmp(rdi = a, rsi = b, rdx = length) -> eax < 0, 0, > 0; clobbers rcx,
 * rdx, rsi, rdi, r8. Eight bytes a round, compared as big-endian numbers. */
        routine memcmp
        jmp     .Lcompare
        end_routine memcmp

/* bcmp: the same, of which only zero or not is used. */
        routine bcmp
.Lcompare:
        sub     rdx, 8
        jb      .Lcompare_tail
.Lcompare_loop:
        mov     rax, [rdi]
        mov     rcx, [rsi]
        cmp     rax, rcx
        jne     .Lcompare_words
        add     rdi, 8
        add     rsi, 8
        sub     rdx, 8
        jae     .Lcompare_loop
.Lcompare_tail:
        add     rdx, 8
        jz      .Lcompare_equal
.Lcompare_byte:
        movzx   eax, byte ptr [rdi]
        movzx   ecx, byte ptr [rsi]
        sub     eax, ecx
        jnz     .Lcompare_done
        inc     rdi
        inc     rsi
        dec     rdx
        jnz     .Lcompare_byte
.Lcompare_equal:
        xor     eax, eax
.Lcompare_done:
        ret
.Lcompare_words:
        bswap   rax
        bswap   rcx
        xor     edx, edx
        cmp     rax, rcx
        seta    dl
        sbb     eax, eax
        or      eax, edx
        ret
        end_routine bcmp

/* strlen(rdi = string) -> rax; clobbers nothing else. */
        routine strlen
        xor     eax, eax
.Lstrlen_loop:
        cmp     byte ptr [rdi + rax], 0
        je      .Lstrlen_done
        inc     rax
        jmp     .Lstrlen_loop
.Lstrlen_done:
        ret
        end_routine strlen

        .section .note.GNU-stack, "", @progbits
