//! Functions that a program may have and that the library does without: those of the sanitizers.

/// The address of the function of this name; 0 if it is not defined. Stable Rust has no weak references; the word
/// `.weak` stands in the same piece of assembly as the reference, so that no object has one without the other.
macro_rules! weak {
    ($name:literal) => {{
        let address: usize;
        // SAFETY: reads one entry of the global offset table, which the loader has filled for good before any code of
        // the library runs.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                concat!("mov {}, qword ptr [rip + ", $name, "@GOTPCREL]"),
                out(reg) address,
                options(pure, nomem, nostack, preserves_flags)
            )
        };
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                concat!("adrp {0}, :got:", $name),
                concat!("ldr {0}, [{0}, :got_lo12:", $name, "]"),
                out(reg) address,
                options(pure, nomem, nostack, preserves_flags)
            )
        };
        address
    }};
}

pub(crate) use weak;
