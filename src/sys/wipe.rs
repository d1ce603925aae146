//! Wipes what a secret leaves behind where no owner wipes it: on the stack, and in vector registers, which
//! the dynamic linker saves on the stack when a program calls a function for the first time.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

use std::mem::MaybeUninit;

use zeroize::Zeroize;
use zeroize::zeroize_stack;

/// Zeroes memory that may be uninitialised, in a way that no compiler leaves out.
///
/// # Safety
/// All of the memory must be valid for writes and used by nobody else, and have at most `isize::MAX`
/// bytes.
pub(crate) unsafe fn memory(memory: *mut u8, size: usize) {
    // SAFETY: the caller vouches for it, and any bytes are valid here.
    unsafe { std::slice::from_raw_parts_mut(memory.cast::<MaybeUninit<u8>>(), size) }.zeroize();
}

/// Runs `work`, and wipes registers and so many bytes of stack after it.
pub(crate) fn after<const STACK: usize, T>(work: impl FnOnce() -> T) -> T {
    let result = in_a_frame_of_its_own(work);
    zeroize_stack::<STACK>();
    vector_registers();
    result
}

/// Below which is all of the stack that `work` uses.
#[inline(never)]
fn in_a_frame_of_its_own<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Wipes all of them. By the System V ABI a caller expects none to be kept; by that of Windows some, which the compiler
/// saves around this.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn vector_registers() {
    macro_rules! pxor {
        ($($n:literal)*) => { concat!($("pxor xmm", $n, ", xmm", $n, "\n"),*) };
    }
    macro_rules! vpxord {
        ($($n:literal)*) => { concat!($("vpxord zmm", $n, ", zmm", $n, ", zmm", $n, "\n"),*) };
    }
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has these instructions, and the compiler is told what they change.
        unsafe {
            asm!(
                "vzeroall",
                vpxord!(16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
                clobber_abi("sysv64"),
                options(nomem, nostack)
            );
        }
    } else if is_x86_feature_detected!("avx") {
        // SAFETY: as above.
        unsafe { asm!("vzeroall", clobber_abi("sysv64"), options(nomem, nostack)) };
    } else {
        // SAFETY: every x86_64 processor has these registers, and the compiler is told of them.
        unsafe {
            asm!(
                pxor!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                clobber_abi("sysv64"),
                options(nomem, nostack)
            );
        }
    }
}

/// Wipes those that a caller does not expect to be kept.
#[cfg(target_arch = "aarch64")]
#[inline]
pub(crate) fn vector_registers() {
    macro_rules! movi {
        ($($n:literal)*) => { concat!($("movi v", $n, ".2d, #0\n"),*) };
    }
    // SAFETY: every aarch64 processor has these registers, and the compiler is told of them.
    unsafe {
        asm!(
            movi!(0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
            clobber_abi("C"),
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// Elsewhere nobody has looked.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
pub(crate) fn vector_registers() {}
