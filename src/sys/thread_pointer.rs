//! The register that tells the threads of a process apart.

/// A number that no other living thread has: the address of the thread's control block.
#[inline(always)]
pub(crate) fn thread_pointer() -> usize {
    let tp: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the x86-64 ABI keeps the address of the thread control block in its own first word.
    unsafe {
        core::arch::asm!("mov {}, fs:0", out(reg) tp, options(nostack, pure, nomem, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the AArch64 ABI keeps the thread pointer in this register.
    unsafe {
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) tp, options(nostack, pure, nomem, preserves_flags));
    }
    tp
}

/// Writes to the word that lies so far from the address of the calling thread's control block.
///
/// # Safety
///
/// There is one, which is the thread's to write.
#[inline(always)]
pub(super) unsafe fn store(distance: usize, value: i32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: passed on to the caller.
    unsafe {
        core::arch::asm!(
            "mov dword ptr fs:[{}], {:e}",
            in(reg) distance,
            in(reg) value,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: as above.
    unsafe {
        *(thread_pointer().wrapping_add(distance) as *mut i32) = value;
    }
}

/// The same for a value that is known when it is compiled.
///
/// # Safety
///
/// As for `store`.
#[inline(always)]
pub(super) unsafe fn store_constant<const VALUE: i32>(distance: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: passed on to the caller.
    unsafe {
        core::arch::asm!(
            "mov dword ptr fs:[{}], {}",
            in(reg) distance,
            const VALUE,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: as above.
    unsafe {
        store(distance, VALUE);
    }
}
