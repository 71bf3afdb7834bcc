//! Whether this processor has what the build takes for granted.

/// The features of x86-64-v3 that this build uses and this processor lacks; a build for less lacks nothing.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub fn missing_features() -> Vec<&'static str> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    // The names and bits of Intel's manual, volume 2, CPUID. The standard library's detection does not ask the
    // processor for what the build takes for granted.
    const EXTENDED: u32 = 0x8000_0000;
    let basic = __cpuid(1).ecx;
    let leaf_7 = if __cpuid(0).eax < 7 { 0 } else { __cpuid_count(7, 0).ebx };
    let extended = if __cpuid(EXTENDED).eax <= EXTENDED { 0 } else { __cpuid(EXTENDED + 1).ecx };
    let needed = [
        ("fma", basic, 12),
        ("movbe", basic, 22),
        ("avx", basic, 28),
        ("f16c", basic, 29),
        ("bmi1", leaf_7, 3),
        ("avx2", leaf_7, 5),
        ("bmi2", leaf_7, 8),
        ("lzcnt", extended, 5),
    ];
    needed.iter().filter(|(_, register, bit)| register >> bit & 1 == 0).map(|&(name, _, _)| name).collect()
}

/// Nothing: the build asks for no more than every processor of its kind has.
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
pub fn missing_features() -> Vec<&'static str> {
    Vec::new()
}
