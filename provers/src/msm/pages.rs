//! Memory for tables, in huge pages where the system has them: points are read from all over a table, and with pages of
//! 4 KiB nearly every one would miss the CPU's cache of addresses.
#![allow(unsafe_code)]

/// As many copies of `value`.
pub(super) fn filled<T: Clone>(value: T, len: usize) -> Vec<T> {
    let mut values = Vec::with_capacity(len);
    #[cfg(target_os = "linux")]
    ask_for_huge_pages(values.spare_capacity_mut());
    values.resize(len, value);
    values
}

/// Before the memory is touched: what is in small pages stays there.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages<T>(memory: &mut [core::mem::MaybeUninit<T>]) {
    use rustix::mm::{Advice, madvise};

    const PAGE: usize = 4096;
    let bytes = size_of_val(memory);
    let start = memory.as_mut_ptr().cast::<u8>();
    let skipped = start.align_offset(PAGE);
    let whole = bytes.saturating_sub(skipped) / PAGE * PAGE;
    if whole > 0 {
        // SAFETY: whole pages inside memory that is borrowed alone; the advice changes how it is mapped, not what is in it.
        // A system without huge pages refuses it, and nothing is lost.
        let _ = unsafe { madvise(start.add(skipped).cast(), whole, Advice::LinuxHugepage) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_there_whatever_the_length() {
        for len in [0, 1, 511, 512, 513, 1 << 20] {
            let values = filled(7u64, len);
            assert_eq!(values.len(), len);
            assert!(values.iter().all(|value| *value == 7));
        }
    }
}
