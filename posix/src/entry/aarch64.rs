//! aarch64: a function's arguments are in x0 to x7. x8 to x17 are free.

/// Parts of the functions.
macro_rules! part {
    // Jumps to the target, by way of labels that begin with this digit.
    (target $offset:literal $index:literal $label:literal) => {
        concat!(
            "adrp x16, {targets} + {",
            $offset,
            "}\n",
            "add x16, x16, :lo12:{targets} + {",
            $offset,
            "}\n",
            "ldar x16, [x16]\n",
            "cbz x16, ",
            $label,
            "f\n",
            "br x16\n",
            $label,
            ":\n",
            "mov w17, #{",
            $index,
            "}\n",
            "b {cold}",
        )
    };
    // The table in x16, how many numbers it has in x17.
    (table) => {
        "adrp x16, {table}\nadd x16, x16, :lo12:{table}\nadd x17, x16, #16\nldar x17, [x17]"
    };
    // Looks the number in a register up: goes on if it is nothing of libioevent's, to 2 if it is, to 3 if that is not
    // known.
    (look $register:literal) => {
        concat!(
            "mov w9, ",
            $register,
            "\n",
            "cmp x9, x17\n",
            "b.hs 3f\n",
            "ldp x10, x11, [x16]\n",
            "madd x9, x9, x11, x10\n",
            "ldr x9, [x9]\n",
            "cbnz x9, 2f",
        )
    };
    // Jumps to the function in this table.
    (to $table:literal) => {
        concat!(
            "adrp x16, {",
            $table,
            "} + {offset}\n",
            "add x16, x16, :lo12:{",
            $table,
            "} + {offset}\n",
            "ldr x16, [x16]\n",
            "br x16",
        )
    };
}

/// Jumps to the target of this function.
macro_rules! forward {
    ($name:ident) => {
        core::arch::naked_asm!(
            part!(target "offset" "index" "2"),
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            index = const crate::names::Name::$name as usize,
            cold = sym crate::entry::cold,
        )
    };
}

/// Looks one argument up, or two: the next function, or the target.
macro_rules! look_up {
    (@first $name:ident $($look:expr),*) => {
        core::arch::naked_asm!(
            part!(table),
            $($look,)*
            part!(to "next"),
            "2:",
            part!(to "targets"),
            "3:",
            part!(target "offset" "index" "4"),
            table = sym crate::look::TABLE,
            next = sym crate::start::NEXT,
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            index = const crate::names::Name::$name as usize,
            cold = sym crate::entry::cold,
        )
    };
    ($name:ident, first) => { look_up!(@first $name part!(look "w0")) };
    ($name:ident, second) => { look_up!(@first $name part!(look "w1")) };
    ($name:ident, first_and_second) => { look_up!(@first $name part!(look "w0"), part!(look "w1")) };
    ($name:ident, second_if_pidfd) => { look_up!(@first $name "cmp w0, #3\nb.ne 3f", part!(look "w1")) };
    ($name:ident, first_and_third) => { look_up!(@first $name part!(look "w0"), part!(look "w2")) };
}

/// Compares two arguments, and leaves out that of the buffer's size: then as `look_up`.
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
            "b.hi 5f",
            checked!(@move $move),
            part!(table),
            part!(look "w0"),
            part!(to "next"),
            "2:",
            part!(to "targets"),
            "3:",
            part!(target "offset" "index" "4"),
            "5:",
            part!(target "own_offset" "own_index" "6"),
            table = sym crate::look::TABLE,
            next = sym crate::start::NEXT,
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

pub(crate) use {checked, enter_cold, forward, look_up, part};
