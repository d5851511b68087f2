//! Compressed bodies: what their content encoding says, and the body decoded, as far as a budget goes.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

use super::message::Properties;

/// Largest window of a zstd frame, which is allocated before anything is decoded: what RFC 8878 asks decoders for.
const MAX_WINDOW: u64 = 8 << 20;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`
    Gzip,
    /// `deflate`: with the header and the checksum of zlib, or without.
    Deflate,
    /// `zstd`
    Zstd,
}

/// A body that was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What was decoded.
    pub bytes: Vec<u8>,
    /// Whether that is all of it: there is no more than the budget, and no fault in it.
    pub is_whole: bool,
}

impl Coding {
    /// What content encodings are called, in lower case.
    pub const NAMES: [&'static str; 4] = ["gzip", "x-gzip", "deflate", "zstd"];

    /// What the `content-encoding` property says.
    pub fn of(properties: &Properties) -> Option<Self> {
        let name = properties.content_encoding.as_deref()?.trim_ascii().to_ascii_lowercase();
        match &*name {
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            b"deflate" => Some(Self::Deflate),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    /// The first `most` bytes of what the body stands for; `None` where it is not compressed in this way.
    pub fn decode(self, body: &[u8], most: usize) -> Option<Decoded> {
        match self {
            Self::Gzip if body.starts_with(&[0x1f, 0x8b]) => read(MultiGzDecoder::new(body), most),
            // Without a header and a checksum nearly anything begins like it: it has to be sound as far as it is read.
            Self::Deflate => read(ZlibDecoder::new(body), most)
                .or_else(|| read(DeflateDecoder::new(body), most).filter(|decoded| decoded.is_sound(most))),
            Self::Zstd if window(body)? <= MAX_WINDOW => read(StreamingDecoder::new(body).ok()?, most),
            Self::Gzip | Self::Zstd => None,
        }
    }
}

impl Decoded {
    /// Whether the budget ended it, if anything did, and no fault.
    fn is_sound(&self, most: usize) -> bool {
        self.is_whole || self.bytes.len() == most
    }
}

/// `None` where there is a fault at the very beginning.
fn read(decoder: impl Read, most: usize) -> Option<Decoded> {
    let mut bytes = Vec::new();
    let end = decoder.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes);
    let is_whole = end.is_ok() && bytes.len() <= most;
    bytes.truncate(most);
    (end.is_ok() || !bytes.is_empty()).then_some(Decoded { bytes, is_whole })
}

/// The window that the first frame needs.
fn window(frame: &[u8]) -> Option<u64> {
    let [descriptor, rest @ ..] = frame.strip_prefix(&ZSTD_MAGIC)? else { return None };
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let byte = u64::from(*rest.first()?);
        let base = 1 << (10 + (byte >> 3));
        return Some(base + base / 8 * (byte & 7));
    }
    // All of it is the window; its size follows the id of a dictionary.
    let size = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let number = size.get(..length)?.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Some(if length == 2 { number + 256 } else { number })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn each_coding_is_read() {
        let text = b"{\"order\":4711}".repeat(20);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        raw.write_all(&text).unwrap();
        let whole = Some(Decoded { bytes: text.clone(), is_whole: true });
        assert_eq!(Coding::Gzip.decode(&gzip(&text), text.len()), whole);
        assert_eq!(Coding::Deflate.decode(&zlib.finish().unwrap(), text.len()), whole);
        assert_eq!(Coding::Deflate.decode(&raw.finish().unwrap(), text.len()), whole);
        assert_eq!(Coding::Zstd.decode(&zstd(&text), text.len()), whole);
    }

    #[test]
    fn no_more_is_decoded_than_the_budget_allows() {
        let bomb = gzip(&vec![b'a'; 64 << 20]);
        let decoded = Coding::Gzip.decode(&bomb, 1000).unwrap();
        assert_eq!((decoded.bytes.len(), decoded.is_whole), (1000, false));
        assert!(decoded.bytes.capacity() < 1 << 20);
        let decoded = Coding::Zstd.decode(&zstd(&vec![0; 4 << 20]), 10).unwrap();
        assert_eq!((decoded.bytes.len(), decoded.is_whole), (10, false));
        // A frame that asks for 2 GiB of memory.
        assert_eq!(Coding::Zstd.decode(&[0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0], 10), None);
        assert_eq!(window(&[0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0]), Some(1 << 32));
    }

    #[test]
    fn what_is_not_compressed_or_broken_is_told() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
            for body in [&b""[..], b"{\"plain\":true}", b"\xff\xff\xff\xff\xff\xff"] {
                assert_eq!(coding.decode(body, 100), None, "{coding:?} {body:?}");
            }
        }
        let cut = gzip(&(0..100_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
        let decoded = Coding::Gzip.decode(&cut[..cut.len() / 2], usize::MAX).unwrap();
        assert!(!decoded.is_whole && decoded.bytes.len() > 1000);
    }

    #[test]
    fn the_property_names_the_coding() {
        let of = |name: &str| {
            Coding::of(&Properties { content_encoding: Some(name.into()), ..Properties::default() })
        };
        assert_eq!(of("GZip "), Some(Coding::Gzip));
        assert!(Coding::NAMES.iter().all(|name| of(name).is_some()));
        assert_eq!((of("utf-8"), of(""), Coding::of(&Properties::default())), (None, None, None));
    }
}
