//! A board that watches a database: its status in `/health` and on the page, and how soon.

use std::time::{Duration, Instant};

use watchboard_test_support::Binary;

/// How soon the board has to know of an outage, and of its end.
pub(crate) const WITHIN: Duration = Duration::from_secs(5);
/// How soon, where the words and not the time are tested.
const SHOWN_WITHIN: Duration = Duration::from_secs(20);
/// How soon it has to know that a login works again.
const NEXT_ATTEMPT_WITHIN: Duration = Duration::from_secs(15);
/// How long an answer that needs no database may take; it takes a few milliseconds.
const CALM: Duration = Duration::from_millis(500);

/// A board that watches a database.
pub(crate) struct Watch(pub(crate) Binary);

impl Watch {
    pub(crate) async fn start(uri: &str) -> Self {
        Self(Binary::start(&["demo", "--no-traffic", "--mongodb-uri", uri]).await)
    }

    /// Waits until `/health` has the status and the page says the same.
    pub(crate) async fn wait_for_status(&self, status: &str, what: &str) -> String {
        self.wait_within(WITHIN, status, what).await
    }

    async fn wait_within(&self, within: Duration, status: &str, what: &str) -> String {
        let started = Instant::now();
        let holds = |health: &serde_json::Value| {
            health["database"]["status"].as_str().is_some_and(|now| now.starts_with(status))
        };
        let health = self.0.client.wait_for_json("/health", within, holds).await;
        let page = String::from_utf8(self.0.client.send("GET", "/?view=database").await.1.to_vec()).unwrap();
        let took = started.elapsed();
        let now = health["database"]["status"].as_str().unwrap().to_owned();
        println!("{what}: {} ms: {now}", took.as_millis());
        let words = status.trim_start_matches("error: ");
        let sentence = format!("{}{} for ", words[..1].to_uppercase(), &words[1..]);
        assert!(page.contains(&sentence), "the page does not say {sentence:?}");
        assert!(took < within, "{what}");
        now
    }

    pub(crate) async fn healthy(&self, what: &str) {
        self.wait_for_status("healthy", what).await;
    }

    /// Healthy, however busy this machine is.
    pub(crate) async fn shown_healthy(&self, what: &str) {
        self.wait_within(SHOWN_WITHIN, "healthy", what).await;
    }

    /// Healthy again, as soon as a probe that waits between its attempts can know.
    pub(crate) async fn healthy_at_next_attempt(&self, what: &str) {
        self.wait_within(NEXT_ATTEMPT_WITHIN, "healthy", what).await;
    }

    /// Named on the page and among the reasons, however busy this machine is; gives the whole sentence.
    pub(crate) async fn shown(&self, words: &str, what: &str) -> String {
        let status = self.wait_within(SHOWN_WITHIN, &format!("error: {words}"), what).await;
        self.is_a_reason(words).await;
        status
    }

    async fn is_a_reason(&self, words: &str) {
        let health = self.0.client.json("/health").await;
        assert_eq!(health["status"], "degraded", "{health:#}");
        assert!(health["reasons"].to_string().contains(&format!("database {words}")), "{health:#}");
    }

    /// Named in time, while nobody waits for the database; gives the whole sentence.
    pub(crate) async fn named(&self, words: &str, what: &str) -> String {
        let status = self.wait_for_status(&format!("error: {words}"), what).await;
        let slowest = self.slowest("/health", 20).await;
        let request = self.slowest("/shop/coupons/SPRING-1", 50).await;
        println!("    meanwhile the slowest /health took {slowest:?}, the slowest request {request:?}");
        assert!(slowest < CALM && request < CALM, "{what}: {slowest:?}, {request:?}");
        self.is_a_reason(words).await;
        status
    }

    pub(crate) async fn slowest(&self, path: &str, of: usize) -> Duration {
        let mut slowest = Duration::ZERO;
        for _ in 0..of {
            let started = Instant::now();
            self.0.client.send("GET", path).await;
            slowest = slowest.max(started.elapsed());
        }
        slowest
    }
}
