//! The threads that work is spread over: one for each processor, or none where the system does not give them.

use rayon::ThreadPoolBuilder;
use std::sync::Once;

/// Starts them, once in a process. Rayon would do so when they are first needed, and panic where one cannot be had.
pub(super) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        if ThreadPoolBuilder::new().build_global().is_err() {
            // This thread does all of it: it is the only one of a pool that it belongs to until it ends.
            std::mem::forget(ThreadPoolBuilder::new().num_threads(1).use_current_thread().build());
        }
    });
}
