//! Whether this processor has what the build takes for granted.

/// Whether it has the instructions of x86-64-v3; a build for less asks for nothing.
///
/// It uses none of them itself, and so nothing but integers: it must come to an answer where they are missing. The
/// standard library's detection would not ask the processor.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub fn is_enough() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    // Bits of Intel's manual, volume 2, CPUID.
    const BASIC: u32 = 1 << 12 | 1 << 22 | 1 << 28 | 1 << 29; // fma, movbe, avx, f16c
    const LEAF_7: u32 = 1 << 3 | 1 << 5 | 1 << 8; // bmi1, avx2, bmi2
    const LZCNT: u32 = 1 << 5;
    const EXTENDED: u32 = 0x8000_0000;
    let has = |register: u32, bits: u32| register & bits == bits;
    has(__cpuid(1).ecx, BASIC)
        && __cpuid(0).eax >= 7
        && has(__cpuid_count(7, 0).ebx, LEAF_7)
        && __cpuid(EXTENDED).eax > EXTENDED
        && has(__cpuid(EXTENDED + 1).ecx, LZCNT)
}

/// The build asks for no more than every processor of its kind has.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
pub fn is_enough() -> bool {
    true
}
