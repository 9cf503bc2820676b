//! aarch64: a function's arguments are in x0 to x7. x8 to x17 are free.

/// Jumps to the target of this function.
macro_rules! forward {
    ($name:ident) => {
        core::arch::naked_asm!(
            "adrp x16, {targets} + {offset}",
            "add x16, x16, :lo12:{targets} + {offset}",
            "ldar x16, [x16]",
            "cbz x16, 2f",
            "br x16",
            "2:",
            "mov w17, #{index}",
            "b {cold}",
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            index = const crate::names::Name::$name as usize,
            cold = sym crate::entry::cold,
        )
    };
}

/// Looks the first argument up: the next function, or `$slow`.
macro_rules! look_up {
    ($name:ident, $slow:path) => {
        core::arch::naked_asm!(
            "adrp x16, {table}",
            "add x16, x16, :lo12:{table}",
            "add x17, x16, #16",
            "ldar x17, [x17]",
            "mov w9, w0",
            "cmp x9, x17",
            "b.hs 2f",
            "ldp x16, x17, [x16]",
            "madd x9, x9, x17, x16",
            "ldr x9, [x9]",
            "cbnz x9, 2f",
            "adrp x16, {targets} + {offset}",
            "add x16, x16, :lo12:{targets} + {offset}",
            "ldr x16, [x16]",
            "br x16",
            "2:",
            "b {slow}",
            table = sym crate::look::TABLE,
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            slow = sym $slow,
        )
    };
}

/// Looks the first and the second argument up.
macro_rules! look_up_both {
    ($name:ident, $slow:path) => {
        core::arch::naked_asm!(
            "adrp x16, {table}",
            "add x16, x16, :lo12:{table}",
            "add x17, x16, #16",
            "ldar x17, [x17]",
            "mov w9, w0",
            "mov w10, w1",
            "cmp x9, x17",
            "b.hs 2f",
            "cmp x10, x17",
            "b.hs 2f",
            "ldp x16, x17, [x16]",
            "madd x9, x9, x17, x16",
            "madd x10, x10, x17, x16",
            "ldr x9, [x9]",
            "cbnz x9, 2f",
            "ldr x10, [x10]",
            "cbnz x10, 2f",
            "adrp x16, {targets} + {offset}",
            "add x16, x16, :lo12:{targets} + {offset}",
            "ldr x16, [x16]",
            "br x16",
            "2:",
            "b {slow}",
            table = sym crate::look::TABLE,
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            slow = sym $slow,
        )
    };
}

/// Compares two arguments, and leaves out that of the buffer's size.
macro_rules! checked {
    (@register third) => { "x2" };
    (@register fourth) => { "x3" };
    (@register fifth) => { "x4" };
    (@move nothing) => { "" };
    (@move one) => { "mov x3, x4" };
    (@move three) => { "mov x3, x4\nmov x4, x5\nmov x5, x6" };
    ($name:ident, $plain:ident, $bytes:ident, $room:ident, $move:ident) => {
        core::arch::naked_asm!(
            concat!("cmp ", checked!(@register $bytes), ", ", checked!(@register $room)),
            "b.hi 3f",
            checked!(@move $move),
            "adrp x16, {targets} + {offset}",
            "add x16, x16, :lo12:{targets} + {offset}",
            "ldar x16, [x16]",
            "cbz x16, 2f",
            "br x16",
            "2:",
            "mov w17, #{index}",
            "b {cold}",
            "3:",
            "adrp x16, {targets} + {own_offset}",
            "add x16, x16, :lo12:{targets} + {own_offset}",
            "ldar x16, [x16]",
            "cbz x16, 4f",
            "br x16",
            "4:",
            "mov w17, #{own_index}",
            "b {cold}",
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$plain as usize * 8,
            index = const crate::names::Name::$plain as usize,
            own_offset = const crate::names::Name::$name as usize * 8,
            own_index = const crate::names::Name::$name as usize,
            cold = sym crate::entry::cold,
        )
    };
}

/// What a function does that has no target: it asks `choose`, with its index in w17 and all arguments kept.
macro_rules! enter_cold {
    () => {
        #[unsafe(naked)]
        unsafe extern "C" fn cold() {
            core::arch::naked_asm!(
                ".cfi_startproc",
                "stp x29, x30, [sp, #-96]!",
                ".cfi_def_cfa_offset 96",
                ".cfi_offset x29, -96",
                ".cfi_offset x30, -88",
                "mov x29, sp",
                "stp x0, x1, [sp, #16]",
                "stp x2, x3, [sp, #32]",
                "stp x4, x5, [sp, #48]",
                "stp x6, x7, [sp, #64]",
                "str x17, [sp, #80]",
                "mov w0, w17",
                "bl {choose}",
                "mov x16, x0",
                "cbz x16, 2f",
                "ldp x0, x1, [sp, #16]",
                "ldp x2, x3, [sp, #32]",
                "ldp x4, x5, [sp, #48]",
                "ldp x6, x7, [sp, #64]",
                "ldp x29, x30, [sp], #96",
                ".cfi_remember_state",
                ".cfi_restore x29",
                ".cfi_restore x30",
                ".cfi_def_cfa_offset 0",
                "br x16",
                "2:",
                ".cfi_restore_state",
                "ldr x0, [sp, #80]",
                "add x1, sp, #16",
                "bl {raw}",
                "ldp x29, x30, [sp], #96",
                ".cfi_restore x29",
                ".cfi_restore x30",
                ".cfi_def_cfa_offset 0",
                "ret",
                ".cfi_endproc",
                choose = sym crate::start::choose,
                raw = sym crate::raw::call,
            )
        }
    };
}

pub(crate) use {checked, enter_cold, forward, look_up, look_up_both};
