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
