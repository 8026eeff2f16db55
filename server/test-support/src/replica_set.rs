//! A replica set of three real mongods.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
    error::Error,
};
use tokio::time::{Instant, sleep, timeout};

use super::Mongod;

/// Three members that elect a primary within a few seconds.
pub struct ReplicaSet {
    pub members: Vec<Mongod>,
}

impl ReplicaSet {
    /// Starts and initiates it, and waits for its first primary.
    pub async fn start() -> Self {
        Self::with_third(doc! {}, &[]).await
    }

    /// A set whose third member has these fields more in the set's configuration, and arguments for each member.
    pub async fn with_third(third: Document, arguments: &[&str]) -> Self {
        let mut members = vec![];
        for _ in 0..3 {
            members.push(Mongod::start(&[&["--replSet", "rs0", "--oplogSize", "16"], arguments].concat()).await);
        }
        let set = Self { members };
        let hosts: Vec<_> = set.members.iter().map(|member| format!("127.0.0.1:{}", member.port)).collect();
        let mut members: Vec<_> = (0_i32..).zip(&hosts).map(|(id, host)| doc! { "_id": id, "host": host }).collect();
        members[2].extend(third);
        let settings = doc! { "electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500 };
        let config = doc! { "_id": "rs0", "members": members, "settings": settings };
        set.ask(0, doc! { "replSetInitiate": config }).await.expect("it is initiated");
        set.primary().await;
        set
    }

    /// Follows the primary.
    pub fn uri(&self) -> String {
        let hosts: Vec<_> = self.members.iter().map(|member| format!("127.0.0.1:{}", member.port)).collect();
        format!("mongodb://{}/?replicaSet=rs0", hosts.join(","))
    }

    /// Runs one command on one member.
    ///
    /// # Errors
    /// The member cannot be reached, or refuses the command.
    pub async fn ask(&self, member: usize, command: Document) -> Result<Document, Error> {
        let client = Client::with_uri_str(self.members[member].uri()).await?;
        let answer = client.database("admin").run_command(command).await;
        client.shutdown().immediate(true).await;
        answer
    }

    /// Which member is the primary, once there is one.
    pub async fn primary(&self) -> usize {
        self.wait_for_member("isWritablePrimary").await
    }

    /// Which member is a secondary, once there is one.
    pub async fn secondary(&self) -> usize {
        self.wait_for_member("secondary").await
    }

    async fn wait_for_member(&self, is: &str) -> usize {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            for member in 0..self.members.len() {
                let hello = timeout(Duration::from_secs(2), self.ask(member, doc! { "hello": 1 })).await;
                if hello.is_ok_and(|hello| hello.is_ok_and(|hello| hello.get_bool(is).unwrap_or(false))) {
                    return member;
                }
            }
            assert!(Instant::now() < deadline, "no member that is {is}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The primary steps down; for so long no member becomes one, but by force of an election that others call.
    pub async fn step_down(&self) {
        let primary = self.primary().await;
        let command = doc! { "replSetStepDown": 60, "secondaryCatchUpPeriodSecs": 5 };
        // Some servers close the connection with the answer.
        _ = self.ask(primary, command).await;
    }
}
