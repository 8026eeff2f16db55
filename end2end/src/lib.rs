//! Browser tests of Watchboard: a real Chromium, driven over WebDriver, looks at the real binary. The tests are in `tests`.
