//! Calls our event handler before the application's own.

use mongodb::event::EventHandler;

/// A handler that calls ours first and then theirs. An unknown kind of handler stays alone, so that the application's own works.
#[expect(clippy::unnecessary_wraps, reason = "the driver's options take an `Option`")]
pub(super) fn chain<T: Send + Sync + 'static>(
    theirs: Option<EventHandler<T>>,
    ours: impl Fn(&T) + Send + Sync + 'static,
) -> Option<EventHandler<T>> {
    Some(match theirs {
        None => EventHandler::callback(move |event| ours(&event)),
        Some(EventHandler::Callback(theirs)) => EventHandler::callback(move |event| {
            ours(&event);
            theirs(event);
        }),
        // The driver runs such a handler in the same way.
        Some(EventHandler::AsyncCallback(theirs)) => EventHandler::callback(move |event| {
            ours(&event);
            tokio::spawn(theirs(event));
        }),
        Some(EventHandler::TokioMpsc(theirs)) => EventHandler::callback(move |event| {
            ours(&event);
            let theirs = theirs.clone();
            tokio::spawn(async move { _ = theirs.send(event).await });
        }),
        Some(other) => {
            tracing::warn!("a handler of an unknown kind is in the way: its events are not listened to");
            other
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    };

    #[tokio::test]
    async fn the_applications_own_handler_still_gets_each_event() {
        let ours = Arc::new(AtomicU32::new(0));
        let count = |count: &Arc<AtomicU32>| {
            let count = Arc::clone(count);
            move |event: &u32| _ = count.fetch_add(*event, Relaxed)
        };
        let fire = |handler: Option<EventHandler<u32>>| match handler {
            Some(EventHandler::Callback(callback)) => callback(1),
            _ => panic!("it is a callback"),
        };
        fire(chain(None, count(&ours)));
        let theirs = Arc::new(AtomicU32::new(0));
        let add = count(&theirs);
        fire(chain(Some(EventHandler::callback(move |event| add(&event))), count(&ours)));
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        fire(chain(Some(EventHandler::from(sender)), count(&ours)));
        assert_eq!(receiver.recv().await, Some(1));
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let handler = EventHandler::async_callback(move |event| {
            let sender = sender.clone();
            Box::pin(async move { sender.send(event).await.unwrap() })
        });
        fire(chain(Some(handler), count(&ours)));
        assert_eq!(receiver.recv().await, Some(1));
        assert_eq!((ours.load(Relaxed), theirs.load(Relaxed)), (4, 1));
    }
}
