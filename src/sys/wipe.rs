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

/// Wipes all of them, but for those above the sixteenth of a Xeon Phi (AVX-512F without VL). By the System V ABI a
/// caller expects none to be kept; by that of Windows some, which the compiler saves around this.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn vector_registers() {
    macro_rules! clear {
        ($instruction:literal: $($n:literal)*) => {
            concat!($($instruction, " xmm", $n, ", xmm", $n, ", xmm", $n, "\n"),*)
        };
    }
    macro_rules! pxor {
        ($($n:literal)*) => { concat!($("pxor xmm", $n, ", xmm", $n, "\n"),*) };
    }
    // What writes 128 bits in these encodings clears the rest of the register: nothing needs instructions of 512 bits,
    // for which some processors lower their clock.
    if is_x86_feature_detected!("avx512vl") {
        // SAFETY: the processor has these instructions, and the compiler is told what they change.
        unsafe {
            asm!(
                "vzeroupper",
                clear!("vpxor": 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
                clear!("vpxord": 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31),
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

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// Of the first and the last of those that each kind of instruction clears.
    #[test]
    fn no_vector_register_keeps_anything() {
        if !is_x86_feature_detected!("avx512vl") {
            return;
        }
        // The others up to the sixteenth are a caller's own by the ABI of Windows.
        let mut left = [[1_u8; 64]; 4];
        // SAFETY: the processor has these instructions, and the compiler is told what they change.
        unsafe {
            asm!(
                "vpternlogd zmm0, zmm0, zmm0, 255",
                "vpternlogd zmm5, zmm5, zmm5, 255",
                "vpternlogd zmm16, zmm16, zmm16, 255",
                "vpternlogd zmm31, zmm31, zmm31, 255",
                in("rax") left.as_ptr(),
                clobber_abi("sysv64"),
                options(nostack)
            );
        }
        vector_registers();
        // SAFETY: as above; all of it is written into `left`.
        unsafe {
            asm!(
                "vmovdqu64 [{left}], zmm0",
                "vmovdqu64 [{left} + 64], zmm5",
                "vmovdqu64 [{left} + 128], zmm16",
                "vmovdqu64 [{left} + 192], zmm31",
                left = in(reg) left.as_mut_ptr(),
                options(nostack)
            );
        }
        assert_eq!(left, [[0; 64]; 4]);
    }
}
