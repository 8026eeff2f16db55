//! Recorded control groups of version 2 that are removed and made anew.

use std::fs;

use super::*;
use crate::memory::cgroup::V2;

/// A tree in which `/app/unit` is watched.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.write("app", 10);
        tree.write("app/unit", 3);
        tree
    }

    fn write(&self, group: &str, kills: u64) {
        let folder = self.0.path().join(group);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("memory.events"), format!("low 0\nhigh 0\nmax 9\noom 9\noom_kill {kills}\n")).unwrap();
    }

    fn rename(&self, group: &str, to: &str) {
        fs::rename(self.0.path().join(group), self.0.path().join(to)).unwrap();
    }

    fn remove_unit(&self) {
        fs::remove_dir_all(self.0.path().join("app/unit")).unwrap();
    }

    fn place(&self, group: &str) -> GroupFolder {
        GroupFolder { root: self.0.path().to_owned(), folder: self.0.path().join(group), names: &V2 }
    }

    fn counter(&self) -> OomKillCounter {
        let mut counter = OomKillCounter::default();
        counter.watch(&self.place("app/unit"));
        counter.read();
        counter
    }
}

#[test]
fn kills_before_the_start_and_of_another_group_are_not_counted() {
    let tree = Tree::new();
    let mut counter = tree.counter();
    assert_eq!((counter.count(), counter.explain_end()), (0, None));
    tree.write("app/other", 7);
    counter.watch(&tree.place("app/other"));
    counter.read();
    assert_eq!(counter.count(), 0);
    tree.write("app/other", 9);
    counter.read();
    assert_eq!(counter.count(), 2);
    assert!(counter.explain_end().unwrap().contains("a process of its control group"));
}

#[test]
fn a_kill_of_a_group_that_is_removed_is_counted_above_it() {
    for made_anew in [false, true] {
        let tree = Tree::new();
        let mut counter = tree.counter();
        // The new folder is there before the old one is removed: it cannot have its inode.
        tree.write("app/new", 0);
        tree.remove_unit();
        tree.write("app", 11);
        if made_anew {
            tree.rename("app/new", "app/unit");
        }
        counter.read();
        let why = counter.explain_end().unwrap();
        assert_eq!(counter.count(), 1);
        assert!(why.contains("below the control group /app") && why.contains("/app/unit was removed"), "{why}");
    }
}

#[test]
fn a_group_that_is_removed_without_a_kill_says_so() {
    let tree = Tree::new();
    let mut counter = tree.counter();
    tree.remove_unit();
    counter.read();
    assert_eq!(
        (counter.count(), counter.explain_end()),
        (0, Some("its control group /app/unit was removed".to_owned()))
    );
}

#[test]
fn kills_of_neighbours_are_not_the_applications() {
    let tree = Tree::new();
    let mut counter = tree.counter();
    tree.write("app", 15);
    counter.read();
    assert_eq!((counter.count(), counter.explain_end()), (0, None));
}
