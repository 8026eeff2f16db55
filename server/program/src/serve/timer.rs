//! hyper's times to wait, which hardly ever run out. To enter a timer and to take it out again for each request costs much more than to move
//! the time of one that is there, so a thread keeps those that are done for its next requests.

use std::{
    cell::RefCell,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt;
use tokio::time::{self, Sleep};

/// Timers that a thread keeps.
const MAX_POOLED: usize = 256;

thread_local! {
    static POOL: RefCell<Vec<Pin<Box<Sleep>>>> = const { RefCell::new(vec![]) };
}

/// Tokio's time. The runtime of a thread is always the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PooledTimer;

impl rt::Timer for PooledTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        let deadline = deadline.into();
        let kept = POOL.try_with(|kept| kept.borrow_mut().pop()).ok().flatten();
        Box::pin(PooledSleep(Some(match kept {
            Some(mut sleep) => {
                sleep.as_mut().reset(deadline);
                sleep
            }
            None => Box::pin(time::sleep_until(deadline)),
        })))
    }

    fn now(&self) -> Instant {
        time::Instant::now().into()
    }
}

/// None once it has been given back.
struct PooledSleep(Option<Pin<Box<Sleep>>>);

impl Future for PooledSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Ready(()), |sleep| sleep.as_mut().poll(cx))
    }
}

impl rt::Sleep for PooledSleep {}

impl Drop for PooledSleep {
    fn drop(&mut self) {
        let Some(sleep) = self.0.take() else { return };
        // A thread that is ending has no place for it any more.
        let _ = POOL.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < MAX_POOLED {
                kept.push(sleep);
            }
        });
    }
}
