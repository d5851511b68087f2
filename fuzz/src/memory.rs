//! How much memory a step may take (rule R16).

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Runs a step that may take so many bytes, beyond what was taken before and what it gives back to us.
pub fn within<T>(bytes: usize, what: &str, step: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let made = step();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(peak <= bytes, "{what} took {peak} bytes where {bytes} are the limit");
    made
}
