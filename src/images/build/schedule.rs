//! Jobs with what they wait for, to their results: several at a time, the first in order first.

use crate::system::threads;
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};

/// The state that workers share.
struct Shared<R> {
    ready: BTreeSet<usize>,
    /// How many jobs each one still waits for.
    waits: Vec<usize>,
    running: usize,
    halted: bool,
    results: Vec<Option<R>>,
}

/// Runs every job, each after those that it `needs`, at most `workers` at a time. What comes back of each is its result;
/// nothing for one that was not started: something it needs has failed, or `stop` said that nothing more is to start.
pub fn run<R: Send>(
    needs: &[Vec<usize>],
    workers: usize,
    stop: impl Fn() -> bool + Sync,
    work: impl Fn(usize) -> (bool, R) + Sync,
) -> Vec<Option<R>> {
    let waits: Vec<_> = needs.iter().map(Vec::len).collect();
    let ready = (0..needs.len()).filter(|&job| needs.get(job).is_some_and(Vec::is_empty)).collect();
    let results = needs.iter().map(|_| None).collect();
    let shared = Mutex::new(Shared { ready, waits, running: 0, halted: false, results });
    let changed = Condvar::new();
    let worker = || {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            state.halted |= stop();
            if state.halted {
                return;
            }
            let Some(job) = state.ready.pop_first() else {
                if state.running == 0 {
                    return;
                }
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.running += 1;
            drop(state);
            let (is_done, result) = work(job);
            state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.running -= 1;
            if let Some(place) = state.results.get_mut(job) {
                *place = Some(result);
            }
            if is_done {
                release(&mut state, needs, job);
            }
            changed.notify_all();
        }
    };
    threads::together(workers.min(needs.len()), worker);
    shared.into_inner().unwrap_or_else(PoisonError::into_inner).results
}

/// Lets those go on that waited for this one.
fn release<R>(state: &mut Shared<R>, needs: &[Vec<usize>], done: usize) {
    for (job, needs) in needs.iter().enumerate().filter(|(_, needs)| needs.contains(&done)) {
        if let Some(waits) = state.waits.get_mut(job) {
            *waits = waits.saturating_sub(needs.iter().filter(|&&need| need == done).count());
            if *waits == 0 {
                state.ready.insert(job);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// 0 <- 1, 2; 1, 2 <- 3; 4 alone.
    fn diamond() -> Vec<Vec<usize>> {
        vec![vec![], vec![0], vec![0], vec![1, 2], vec![]]
    }

    #[test]
    fn each_job_runs_once_and_after_what_it_needs() {
        for workers in [1, 2, 8] {
            let clock = AtomicUsize::new(0);
            let times = run(&diamond(), workers, || false, |_| (true, clock.fetch_add(1, Ordering::SeqCst)));
            let at = |job: usize| times[job].unwrap();
            assert!(at(0) < at(1) && at(0) < at(2) && at(1) < at(3) && at(2) < at(3));
            assert_eq!(clock.into_inner(), 5);
        }
    }

    #[test]
    fn what_needs_a_failed_job_is_not_started() {
        let fails = |bad: usize| move |job: usize| (job != bad, job);
        let started = |bad: usize| -> Vec<usize> {
            run(&diamond(), 1, || false, fails(bad)).into_iter().flatten().collect()
        };
        assert_eq!(started(1), [0, 1, 2, 4]);
        assert_eq!(started(0), [0, 4]);
    }

    #[test]
    fn no_more_than_asked_for_run_at_a_time_and_nothing_after_the_stop() {
        let needs: Vec<Vec<usize>> = vec![vec![]; 20];
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let results = run(
            &needs,
            3,
            || false,
            |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(2));
                now.fetch_sub(1, Ordering::SeqCst);
                (true, ())
            },
        );
        assert!(results.iter().all(Option::is_some));
        assert_eq!(most.into_inner(), 3);
        let done = AtomicUsize::new(0);
        let stop = || done.load(Ordering::SeqCst) >= 4;
        let results = run(&needs, 1, stop, |_| (true, done.fetch_add(1, Ordering::SeqCst)));
        assert_eq!(results.iter().flatten().count(), 4);
    }
}
