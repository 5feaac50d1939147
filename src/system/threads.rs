//! Work on several threads: where the system gives no more of them, fewer do it, and in the end the one at hand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Calls `worker` on `number` threads, of which this is one.
pub fn together(number: usize, worker: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 1..number {
            if thread::Builder::new().spawn_scoped(scope, &worker).is_err() {
                break;
            }
        }
        worker();
    });
}

/// What `work` makes of each item, in their order; `number` of them at a time.
pub fn map<T: Sync, R: Send>(items: &[T], number: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    together(number.min(items.len()), || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..100).collect();
        for number in [0, 1, 3, 200] {
            assert_eq!(super::map(&items, number, |item| item * 2), (0..200).step_by(2).collect::<Vec<_>>());
        }
        assert!(super::map(&[] as &[u8], 4, |_| ()).is_empty());
    }
}
