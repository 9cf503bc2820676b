//! x86-64: a function's arguments are in rdi, rsi, rdx, rcx, r8, r9 and on the stack. rax, r10 and r11 are free, but that
//! al belongs to the arguments of a variadic function.

/// Jumps to the target of this function.
macro_rules! forward {
    ($name:ident) => {
        core::arch::naked_asm!(
            "mov r11, qword ptr [rip + {targets} + {offset}]",
            "test r11, r11",
            "jz 2f",
            "jmp r11",
            "2:",
            "mov r11d, {index}",
            "jmp {cold}",
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
            "mov eax, edi",
            "cmp rax, qword ptr [rip + {table} + 16]",
            "jae {slow}",
            "imul rax, qword ptr [rip + {table} + 8]",
            "add rax, qword ptr [rip + {table}]",
            "cmp qword ptr [rax], 0",
            "jne {slow}",
            "jmp qword ptr [rip + {targets} + {offset}]",
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
            "mov eax, edi",
            "cmp rax, qword ptr [rip + {table} + 16]",
            "jae {slow}",
            "imul rax, qword ptr [rip + {table} + 8]",
            "add rax, qword ptr [rip + {table}]",
            "cmp qword ptr [rax], 0",
            "jne {slow}",
            "mov eax, esi",
            "cmp rax, qword ptr [rip + {table} + 16]",
            "jae {slow}",
            "imul rax, qword ptr [rip + {table} + 8]",
            "add rax, qword ptr [rip + {table}]",
            "cmp qword ptr [rax], 0",
            "jne {slow}",
            "jmp qword ptr [rip + {targets} + {offset}]",
            table = sym crate::look::TABLE,
            targets = sym crate::start::TARGETS,
            offset = const crate::names::Name::$name as usize * 8,
            slow = sym $slow,
        )
    };
}

/// Compares two arguments, and leaves out that of the buffer's size.
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
            "ja 3f",
            checked!(@move $move),
            "mov r11, qword ptr [rip + {targets} + {offset}]",
            "test r11, r11",
            "jz 2f",
            "jmp r11",
            "2:",
            "mov r11d, {index}",
            "jmp {cold}",
            "3:",
            "mov r11, qword ptr [rip + {targets} + {own_offset}]",
            "test r11, r11",
            "jz 4f",
            "jmp r11",
            "4:",
            "mov r11d, {own_index}",
            "jmp {cold}",
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

pub(crate) use {checked, enter_cold, forward, look_up, look_up_both};
