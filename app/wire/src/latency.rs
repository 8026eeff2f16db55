//! How long requests took: as percentiles, and as bands of a heat map.

use serde::{Deserialize, Serialize};

/// The mean and percentiles of the time that requests took, from a histogram. Each time counts as the middle of a bucket
/// of at most 1.6 % width, so each figure is within 0.8 % of the exact one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean.
    pub mean_us: u64,
    /// Half of the requests took at most this.
    pub p50_us: u64,
    /// 95 of 100 requests took at most this.
    pub p95_us: u64,
    /// 99 of 100 requests took at most this.
    pub p99_us: u64,
    /// The slowest request.
    pub max_us: u64,
}

/// The latency of an endpoint. In neither part are streams, long polls and requests that their clients left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointLatency {
    /// Of requests that succeeded, client errors (4xx) among them; `None` without such requests.
    pub succeeded: Option<Latency>,
    /// Of server errors: 5xx, panics and broken bodies; `None` without such requests.
    pub failed: Option<Latency>,
}

/// A band of latencies. Each power of two of microseconds has two bands: the first is half as wide as it begins, the
/// second a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Band(pub u8);

impl Band {
    /// The band of a latency.
    pub fn for_latency(us: u64) -> Self {
        let us = us.max(2);
        let power = us.ilog2();
        Self((2 * power + (us >> (power - 1) & 1) as u32) as u8)
    }

    /// The place of a latency among bands: the number of its band, and the part of the band that is below it.
    pub fn place(us: f64) -> f64 {
        let band = Self::for_latency(us as u64);
        let (begins, ends) = (band.begins_us() as f64, Self(band.0 + 1).begins_us() as f64);
        f64::from(band.0) + ((us - begins) / (ends - begins)).clamp(0.0, 1.0)
    }

    /// Its lower bound, in microseconds.
    pub fn begins_us(self) -> u64 {
        (2 + u64::from(self.0 & 1)) << (self.0 / 2).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Band;

    #[test]
    fn a_latency_is_in_its_band() {
        for us in (1..40).map(|power| 1 << power).flat_map(|us| [us, us + us / 3, us + us / 2, 2 * us - 1]) {
            let band = Band::for_latency(us);
            assert!(band.begins_us() <= us && us < Band(band.0 + 1).begins_us(), "{us} in {band:?}");
        }
        assert_eq!(Band::for_latency(0), Band::for_latency(2));
        assert!(Band::place(5_000.0) > Band::place(4_900.0) && (Band::place(8.0) - 6.0).abs() < 1e-9);
    }
}
