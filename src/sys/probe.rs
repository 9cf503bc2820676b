//! Probes: places in the code where a debugger or a tracer can look in (ioevent_probes(7)).
//!
//! A probe is a nop, and a note in the ELF file that says where it is and where its arguments are (systemtap's format,
//! version 3, which gdb, perf and bpftrace read as well). Arguments are what is in registers at that place anyway, what
//! lies at a known distance from an address that is, and constants: so a probe costs its nop, and nothing else.
//!
//! Why not the crate `probe`: with it all arguments have to be in registers, and would have to be loaded first, by an
//! instruction each.

/// A probe `$name` of the provider `ioevent`. Its arguments are said in the note's language for x86-64, then for
/// aarch64; what is in braces there are the operands that follow.
macro_rules! probe {
    ($name:literal, $x86_64:literal, $aarch64:literal, $($operands:tt)*) => {
        // SAFETY: a nop; all else is a note, in a section of its own. Addresses in it are read by tracers alone.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            $crate::sys::probe::probe!(@asm $name, $x86_64, [att_syntax], $($operands)*);
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            $crate::sys::probe::probe!(@asm $name, $aarch64, [], $($operands)*);
        }
    };
    (@asm $name:literal, $arguments:literal, [$($syntax:tt)*], $($operands:tt)*) => {
        core::arch::asm!(
            "990: nop",
            ".pushsection .note.stapsdt, \"?\", \"note\"",
            ".balign 4",
            ".4byte 992f-991f, 994f-993f, 3",
            "991: .asciz \"stapsdt\"",
            "992: .balign 4",
            "993: .8byte 990b",
            ".8byte _.stapsdt.base",
            ".8byte 0",
            ".asciz \"ioevent\"",
            concat!(".asciz \"", $name, "\""),
            concat!(".asciz \"", $arguments, "\""),
            "994: .balign 4",
            ".popsection",
            ".ifndef _.stapsdt.base",
            ".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat",
            ".weak _.stapsdt.base",
            ".hidden _.stapsdt.base",
            "_.stapsdt.base: .space 1",
            ".size _.stapsdt.base, 1",
            ".popsection",
            ".endif",
            $($operands)*
            options(nomem, nostack, preserves_flags, $($syntax)*)
        )
    };
}

pub(crate) use probe;
