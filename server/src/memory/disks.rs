//! The file systems on disks: `/proc/self/mounts`, and `statvfs` of each.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use rustix::fs::statvfs;
use watchboard_wire::{Disk, Reading};

use super::failure::or_unknown;

/// File systems that are no disks: of the kernel, in memory, read-only images, and those of other machines, whose `statvfs` may hang.
const NO_DISKS: [&[u8]; 18] = [
    b"rootfs",
    b"sysfs",
    b"proc",
    b"devtmpfs",
    b"cgroup",
    b"cgroup2",
    b"pstore",
    b"squashfs",
    b"rpc_pipefs",
    b"iso9660",
    b"devpts",
    b"hugetlbfs",
    b"mqueue",
    b"tmpfs",
    b"cifs",
    b"nfs",
    b"nfs4",
    b"autofs",
];

/// A line of the table of mounts. Its names are bytes.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    source: Vec<u8>,
    point: PathBuf,
    kind: Vec<u8>,
}

/// Each file system once, however often it is mounted.
pub(super) fn read() -> Reading<Vec<Disk>> {
    let table = or_unknown("/proc/self/mounts", fs::read("/proc/self/mounts"))?;
    let mut mounts: Vec<Mount> =
        table.split(|byte| *byte == b'\n').filter_map(Mount::parse).filter(Mount::is_of_disk).collect();
    let length = |mount: &Mount| mount.point.as_os_str().len();
    mounts.sort_by(|a, b| length(a).cmp(&length(b)).then_with(|| a.point.cmp(&b.point)));
    let mut seen = HashSet::new();
    let disk = |mount: Mount| {
        let (total_bytes, available_bytes) = size(&mount.point)?;
        seen.insert(mount.source).then(|| Disk {
            mount: mount.point.display().to_string(),
            total_bytes,
            available_bytes,
        })
    };
    Ok(mounts.into_iter().filter_map(disk).collect())
}

/// All bytes and those that are available; nothing of a file system without a size.
fn size(point: &Path) -> Option<(u64, u64)> {
    let size = statvfs(point).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(size.f_frsize);
    Some((bytes(size.f_blocks), bytes(size.f_bavail))).filter(|(total, _)| *total > 0)
}

impl Mount {
    /// `SOURCE POINT KIND …`
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ').map(unescape);
        let (source, point, kind) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self { source, point: OsString::from_vec(point).into(), kind })
    }

    fn is_of_disk(&self) -> bool {
        let is_in = |folder| self.point.starts_with(folder);
        let of_kernel = is_in("/sys") || is_in("/proc") || is_in("/run") && !is_in("/run/media");
        !of_kernel && !NO_DISKS.contains(&&*self.kind) && !self.source.starts_with(b"sunrpc")
    }
}

/// The kernel writes a space, a tab, a newline and a backslash as `\040`, `\011`, `\012` and `\134`.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        let code = octal.map(|digits| digits.iter().fold(0u32, |code, digit| 8 * code + u32::from(digit - b'0')));
        let (byte, after) = match code.and_then(|code| u8::try_from(code).ok()) {
            Some(byte) => (byte, &after[3..]),
            None => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_in_the_table_are_bytes() {
        let mount = Mount::parse(b"/dev/vd\\134a /data/a\\040b\\012c\xff ext4 rw,relatime 0 0").unwrap();
        assert_eq!((&*mount.source, &*mount.kind), (&b"/dev/vd\\a"[..], &b"ext4"[..]));
        assert_eq!(mount.point.into_os_string().into_vec(), b"/data/a b\nc\xff");
        assert_eq!([unescape(b"\\9a\\04"), unescape(b"\\777")], [b"\\9a\\04".to_vec(), b"\\777".to_vec()]);
    }

    #[test]
    fn what_is_in_memory_or_elsewhere_is_no_disk() {
        let is_of_disk = |line: &str| Mount::parse(line.as_bytes()).unwrap().is_of_disk();
        assert!(is_of_disk("/dev/vda / ext4 rw 0 0") && is_of_disk("overlay / overlay rw 0 0"));
        for line in ["tmpfs /tmp tmpfs rw", "server:/ /home nfs4 rw", "/dev/vdb /run/x ext4 rw", "proc /proc proc rw"] {
            assert!(!is_of_disk(line), "{line}");
        }
        assert!(is_of_disk("/dev/sda1 /run/media/stick ext4 rw"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Mount::parse(&line);
        }
    }
}
