//! x86-64: a function's arguments are in rdi, rsi, rdx, rcx, r8, r9 and on the stack. rax, r10 and r11 are free, but
//! that al belongs to the arguments of a variadic function.

/// Parts of the functions.
macro_rules! part {
    // Jumps to the target, by way of labels that begin with this digit.
    (target $offset:literal $index:literal $label:literal) => {
        concat!(
            "mov r11, qword ptr [rip + {targets} + {",
            $offset,
            "}]\n",
            "test r11, r11\n",
            "jz ",
            $label,
            "f\n",
            "jmp r11\n",
            $label,
            ":\n",
            "mov r11d, {",
            $index,
            "}\n",
            "jmp {cold}",
        )
    };
    // Looks the number in a register up: goes on if it is nothing of libioevent's, to 2 if it is, to 3 if that is not
    // known.
    (look $register:literal) => {
        concat!(
            "mov eax, ",
            $register,
            "\n",
            "cmp rax, qword ptr [rip + {table} + 16]\n",
            "jae 3f\n",
            "imul rax, qword ptr [rip + {table} + 8]\n",
            "add rax, qword ptr [rip + {table}]\n",
            "cmp qword ptr [rax], 0\n",
            "jne 2f",
        )
    };
    // Goes on if libioevent.so has seen this process, as it is, before; else to 2, which leads to where it does.
    (seen) => {
        "mov rax, qword ptr [rip + {table} + 24]\ncmp byte ptr [rax + 8], 0\nje 2f"
    };
    // Goes on if there never was a pipe, and libioevent.so has seen this process before.
    (unused) => {
        concat!(
            "mov rax, qword ptr [rip + {table} + 24]\n",
            "test rax, rax\n",
            "jz 3f\n",
            "cmp qword ptr [rax], 0\n",
            "jne 2f\n",
            "cmp byte ptr [rax + 8], 0\n",
            "je 2f",
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
            $($look,)*
            "jmp qword ptr [rip + {next} + {offset}]",
            "2:",
            "jmp qword ptr [rip + {targets} + {offset}]",
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
    ($name:ident, first) => { look_up!(@first $name part!(look "edi"), part!(seen)) };
    ($name:ident, second) => { look_up!(@first $name part!(look "esi"), part!(seen)) };
    ($name:ident, none) => { look_up!(@first $name part!(unused)) };
    ($name:ident, first_and_second) => { look_up!(@first $name part!(look "edi"), part!(look "esi")) };
    ($name:ident, second_if_pidfd) => { look_up!(@first $name "cmp edi, 3\njne 3f", part!(look "esi"), part!(seen)) };
    ($name:ident, first_and_third) => { look_up!(@first $name part!(look "edi"), part!(look "edx")) };
}

/// Compares two arguments, and leaves out that of the buffer's size: then as `look_up`.
macro_rules! checked {
    (@register third) => { "rdx" };
    (@register fourth) => { "rcx" };
    (@register fifth) => { "r8" };
    (@move nothing) => { "" };
    (@move one) => { "mov rcx, r8" };
    (@move three) => { "mov rcx, r8\nmov r8, r9\nmov r9, qword ptr [rsp + 8]" };
    ($name:ident, $plain:ident, $bytes:ident, $room:ident, $move:ident) => {
        core::arch::naked_asm!(
            concat!("cmp ", checked!(@register $bytes), ", ", checked!(@register $room)),
            "ja 5f",
            checked!(@move $move),
            part!(look "edi"),
            part!(seen),
            "jmp qword ptr [rip + {next} + {offset}]",
            "2:",
            "jmp qword ptr [rip + {targets} + {offset}]",
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

/// What a function does that has no target: it asks `choose`, with its index in r11d and all arguments kept.
macro_rules! enter_cold {
    () => {
        #[unsafe(naked)]
        unsafe extern "C" fn cold() {
            core::arch::naked_asm!(
                ".cfi_startproc",
                "push r9",
                "push r8",
                "push rcx",
                "push rdx",
                "push rsi",
                "push rdi",
                "push r11",
                ".cfi_def_cfa_offset 64",
                "mov rdi, r11",
                "call {choose}",
                "mov r11, rax",
                "test rax, rax",
                "jz 2f",
                "pop rdi",
                "pop rdi",
                "pop rsi",
                "pop rdx",
                "pop rcx",
                "pop r8",
                "pop r9",
                ".cfi_def_cfa_offset 8",
                "xor eax, eax", // No argument of a variadic one is a floating-point number.
                "jmp r11",
                "2:",
                ".cfi_def_cfa_offset 64",
                "mov rdi, qword ptr [rsp]",
                "lea rsi, [rsp + 8]",
                "call {raw}",
                "add rsp, 56",
                ".cfi_def_cfa_offset 8",
                "ret",
                ".cfi_endproc",
                choose = sym crate::start::choose,
                raw = sym crate::raw::call,
            )
        }
    };
}

pub(crate) use {checked, enter_cold, forward, look_up, part};
