//! Fills all that the CPU has with known values, spins without a call, and looks
//! whether they are still there.
//!
//! ```text
//!   rsp ->      | the routine's frame |
//!               | red zone, 128 bytes |  known values too
//!   rsp - 136 ->| a mark              |  gone if asyncPreempt was here
//! ```

use core::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use core::arch::{asm, global_asm};
use core::mem::offset_of;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::__private::preempt_storm;
use gort::go;
use gort::runtime::{gosched, num_goroutine};

/// What there is to see of the CPU.
#[derive(Clone, PartialEq, Debug)]
#[repr(C, align(64))]
struct State {
    /// The upper sixteen vector registers of AVX-512, and with the next field all of
    /// the lower ones.
    upper: [[u64; 8]; 16],
    lower: [[u64; 8]; 16],
    /// AVX-512's masks.
    masks: [u64; 8],
    /// All but rsp, and rcx, which counts.
    general: [u64; 14],
    red_zone: [u64; 16],
    x87: [u64; 8],
    flags: u64,
    mxcsr: u32,
    fcw: u16,
    /// The mark is gone.
    interrupted: bool,
}

/// What of the vector registers the CPU has and the system saves.
#[derive(Clone, Copy, PartialEq)]
#[repr(u32)]
pub(super) enum Vectors {
    Sse = 0,
    Avx = 1,
    Avx512 = 2,
}

unsafe extern "C" {
    /// Loads `before`, spins, and stores what it finds then to `after`.
    fn gort_torture(before: *const State, after: *mut State, spins: u64, vectors: Vectors);
}

global_asm!(
    ".pushsection .text.gort_torture, \"ax\", @progbits",
    ".globl gort_torture",
    ".type gort_torture, @function",
    "gort_torture:",
    "push rbp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 56",
    "mov [rsp], rsi",
    "mov [rsp + 24], ecx",
    "stmxcsr [rsp + 16]",
    "fnstcw [rsp + 20]",
    // x87: eight whole numbers, then how to round.
    "fninit",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7",
    "fild qword ptr [rdi + {x87} + 8 * \\n]",
    ".endr",
    "fldcw [rdi + {fcw}]",
    "ldmxcsr [rdi + {mxcsr}]",
    "cmp ecx, 1",
    "je 11f",
    "ja 12f",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movdqu xmm\\n, [rdi + {lower} + 64 * \\n]",
    ".endr",
    "jmp 13f",
    "11:",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "vmovdqu ymm\\n, [rdi + {lower} + 64 * \\n]",
    ".endr",
    "jmp 13f",
    "12:",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "vmovdqu64 zmm\\n, [rdi + {lower} + 64 * \\n]",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "vmovdqu64 zmm\\n, [rdi + {upper} + 64 * (\\n - 16)]",
    ".endr",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7",
    "kmovq k\\n, [rdi + {masks} + 8 * \\n]",
    ".endr",
    "13:",
    // From here on nothing changes the flags, and nothing is pushed.
    "push qword ptr [rdi + {flags}]",
    "popfq",
    "mov rcx, rdx",
    "mov rax, 0x6d61726b",
    "mov [rsp - 136], rax",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "mov rax, [rdi + {red_zone} + 8 * \\n]",
    "mov [rsp - 128 + 8 * \\n], rax",
    ".endr",
    "mov rax, [rdi + {general}]",
    "mov rbx, [rdi + {general} + 8]",
    "mov rdx, [rdi + {general} + 16]",
    "mov rsi, [rdi + {general} + 24]",
    "mov rbp, [rdi + {general} + 32]",
    "mov r8, [rdi + {general} + 40]",
    "mov r9, [rdi + {general} + 48]",
    "mov r10, [rdi + {general} + 56]",
    "mov r11, [rdi + {general} + 64]",
    "mov r12, [rdi + {general} + 72]",
    "mov r13, [rdi + {general} + 80]",
    "mov r14, [rdi + {general} + 88]",
    "mov r15, [rdi + {general} + 96]",
    "mov rdi, [rdi + {general} + 104]",
    "14:",
    "lea rcx, [rcx - 1]",
    "jrcxz 15f",
    "jmp 14b",
    "15:",
    "mov [rsp + 8], rax",
    "mov rax, [rsp]",
    "mov [rax + {general} + 8], rbx",
    "mov [rax + {general} + 16], rdx",
    "mov [rax + {general} + 24], rsi",
    "mov [rax + {general} + 32], rbp",
    "mov [rax + {general} + 40], r8",
    "mov [rax + {general} + 48], r9",
    "mov [rax + {general} + 56], r10",
    "mov [rax + {general} + 64], r11",
    "mov [rax + {general} + 72], r12",
    "mov [rax + {general} + 80], r13",
    "mov [rax + {general} + 88], r14",
    "mov [rax + {general} + 96], r15",
    "mov [rax + {general} + 104], rdi",
    "mov rbx, [rsp + 8]",
    "mov [rax + {general}], rbx",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "mov rbx, [rsp - 128 + 8 * \\n]",
    "mov [rax + {red_zone} + 8 * \\n], rbx",
    ".endr",
    "pushfq",
    "pop rbx",
    "mov [rax + {flags}], rbx",
    "cld",
    "mov rbx, 0x6d61726b",
    "cmp rbx, [rsp - 136]",
    "setne byte ptr [rax + {interrupted}]",
    "stmxcsr [rax + {mxcsr}]",
    "fnstcw [rax + {fcw}]",
    "cmp dword ptr [rsp + 24], 1",
    "je 21f",
    "ja 22f",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movdqu [rax + {lower} + 64 * \\n], xmm\\n",
    ".endr",
    "jmp 23f",
    "21:",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "vmovdqu [rax + {lower} + 64 * \\n], ymm\\n",
    ".endr",
    "vzeroupper",
    "jmp 23f",
    "22:",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "vmovdqu64 [rax + {lower} + 64 * \\n], zmm\\n",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "vmovdqu64 [rax + {upper} + 64 * (\\n - 16)], zmm\\n",
    ".endr",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7",
    "kmovq [rax + {masks} + 8 * \\n], k\\n",
    ".endr",
    "vzeroupper",
    "23:",
    // The last that went on comes off first.
    ".irp n, 7, 6, 5, 4, 3, 2, 1, 0",
    "fistp qword ptr [rax + {x87} + 8 * \\n]",
    ".endr",
    "fninit",
    "fldcw [rsp + 20]",
    "ldmxcsr [rsp + 16]",
    "add rsp, 56",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".size gort_torture, . - gort_torture",
    ".popsection",
    upper = const offset_of!(State, upper),
    lower = const offset_of!(State, lower),
    masks = const offset_of!(State, masks),
    general = const offset_of!(State, general),
    red_zone = const offset_of!(State, red_zone),
    x87 = const offset_of!(State, x87),
    flags = const offset_of!(State, flags),
    mxcsr = const offset_of!(State, mxcsr),
    fcw = const offset_of!(State, fcw),
    interrupted = const offset_of!(State, interrupted),
);

/// The flags that a program may set as it likes: carry, parity, adjust, zero, sign,
/// direction, overflow; and the two that are always set.
const FLAGS: u64 = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | 0x400 | 0x800;
const FLAGS_SET: u64 = 0x202;

impl State {
    /// Makes one, another one for each seed. What the CPU does not have is 0.
    fn new(seed: u64, vectors: Vectors) -> Self {
        let mut next = seed;
        let mut random = || {
            next = next
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            next ^ next >> 29
        };
        let width = match vectors {
            Vectors::Sse => 2,
            Vectors::Avx => 4,
            Vectors::Avx512 => 8,
        };
        let mut vector = |width| core::array::from_fn(|at| if at < width { random() } else { 0 });
        let lower = core::array::from_fn(|_| vector(width));
        let has_upper = vectors == Vectors::Avx512;
        let upper = core::array::from_fn(|_| vector(if has_upper { width } else { 0 }));
        let masks = vector(if has_upper { 8 } else { 0 });
        Self {
            upper,
            lower,
            masks,
            general: core::array::from_fn(|_| random()),
            red_zone: core::array::from_fn(|_| random()),
            x87: core::array::from_fn(|_| random() >> 2),
            flags: random() & FLAGS | FLAGS_SET,
            // All exceptions masked, as ever; how to round is free.
            mxcsr: 0x1f80 | (random() as u32 & 3) << 13,
            fcw: 0x37f | (random() as u16 & 3) << 10,
            interrupted: false,
        }
    }
}

/// Finds out what there is.
pub(super) fn vectors() -> Vectors {
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    const AVX512F_AND_BW: u32 = 1 << 16 | 1 << 30;
    if __cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX {
        return Vectors::Sse;
    }
    #[target_feature(enable = "xsave")]
    fn xcr0() -> u64 {
        // SAFETY: the system has enabled it.
        unsafe { _xgetbv(0) }
    }
    // SAFETY: OSXSAVE is set.
    let saved = unsafe { xcr0() };
    let leaf7 = __cpuid_count(7, 0).ebx;
    if saved & 0xe6 == 0xe6 && leaf7 & AVX512F_AND_BW == AVX512F_AND_BW {
        Vectors::Avx512
    } else if saved & 6 == 6 {
        Vectors::Avx
    } else {
        Vectors::Sse
    }
}

/// Tells whether x87 and SSE are as the ABI wants them at a call: nothing on the one's
/// stack, both round to the nearest, and strings go up.
fn is_clean() -> bool {
    const DIRECTION: u64 = 0x400;
    let (mut mxcsr, mut x87) = (0u32, [0u32; 7]);
    let flags: u64;
    // SAFETY: stores four bytes and 28, ours; the second masks exceptions, and the
    // third makes up for that.
    unsafe {
        asm!(
            "stmxcsr [{}]",
            "fnstenv [{}]",
            "fldenv [{1}]",
            "pushfq",
            "pop {2}",
            in(reg) &raw mut mxcsr,
            in(reg) &raw mut x87,
            out(reg) flags,
        );
    }
    // What has happened so far is in the six lowest bits.
    let (control, tags) = (x87[0] as u16, x87[2] as u16);
    flags & DIRECTION == 0 && mxcsr & !0x3f == 0x1f80 && control == 0x37f && tags == 0xffff
}

/// Sends this process the signal that preempts.
pub(super) fn send_sigurg() {
    const GETPID: usize = 39;
    const KILL: usize = 62;
    const SIGURG: usize = 23;
    let call = |number: usize, first: usize| {
        let result: usize;
        // SAFETY: neither touches our memory; the instruction changes what is named.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") number => result,
                in("rdi") first,
                in("rsi") SIGURG,
                lateout("rcx") _,
                lateout("r11") _,
            );
        }
        result
    };
    call(KILL, call(GETPID, 0));
}

/// Spins with everything filled, in another way for each seed, and checks that it is
/// all there afterwards. Tells whether that was interrupted.
pub(super) fn once(seed: u64, vectors: Vectors) -> bool {
    let mut before = State::new(seed, vectors);
    let mut after = before.clone();
    after.upper[0][0] ^= u64::from(vectors == Vectors::Avx512); // is written
    after.general = [0; 14];
    after.red_zone = [0; 16];
    // SAFETY: two states, and vectors that there are.
    unsafe { gort_torture(&raw const before, &raw mut after, 50_000, vectors) };
    before.interrupted = after.interrupted;
    assert!(before == after, "{before:#x?} became {after:#x?}");
    after.interrupted
}

/// Has so many goroutines spin with everything filled, until each has been interrupted
/// often enough in the middle of that.
pub(super) fn until_interrupted(goroutines: usize, times: usize) {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let vectors = vectors();
    preempt_storm(true);
    for number in 0..goroutines {
        go(move || {
            let mut left = times;
            let mut seed = number as u64;
            while left > 0 {
                seed += goroutines as u64;
                left -= usize::from(once(seed, vectors));
            }
            DONE.fetch_add(1, Ordering::Relaxed);
        });
    }
    while num_goroutine() > 1 {
        gosched();
        assert!(is_clean(), "the others' state is ours");
    }
    preempt_storm(false);
    assert_eq!(DONE.load(Ordering::Relaxed), goroutines);
}
