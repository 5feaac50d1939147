//! From a packed file to its content, as a reader that ends in an error where the content is too large.

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Read};

/// The memory that unpacking xz may take, in bytes: more than its highest preset does.
const XZ_MEMORY: u64 = 256 << 20;
/// How much of a zstd frame is unpacked at once, in bytes.
const STEP: usize = 1 << 20;

/// How many of the first bytes tell how a file is packed.
const MAGIC: u64 = 6;

/// The content of a file, told by its first bytes: gzip, xz, zstd, or plain. Reading more than `limit` bytes of it is
/// an error.
///
/// # Errors
/// It cannot be read, or is packed in a way that drvc does not unpack.
pub fn unpacked<'a>(mut packed: impl Read + 'a, limit: u64) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut magic = Vec::new();
    packed.by_ref().take(MAGIC).read_to_end(&mut magic)?;
    let whole = BufReader::with_capacity(STEP, io::Cursor::new(magic.clone()).chain(packed));
    let reader: Box<dyn Read + 'a> = if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(whole))
    } else if magic.starts_with(b"\xfd7zXZ\0") {
        let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
        Box::new(liblzma::bufread::XzDecoder::new_stream(whole, stream))
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(Frames { source: whole, decoder: FrameDecoder::new() })
    } else if magic.starts_with(b"BZh") {
        return Err(io::Error::other("it is packed with bzip2, which drvc does not unpack"));
    } else {
        Box::new(whole)
    };
    Ok(Box::new(BufReader::with_capacity(64 << 10, Limited { reader, left: limit })))
}

/// The content of one or more zstd frames.
struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.decoder.reset(&mut self.source).map_err(io::Error::other)?;
            }
            let step = BlockDecodingStrategy::UptoBytes(STEP);
            self.decoder.decode_blocks(&mut self.source, step).map_err(io::Error::other)?;
        }
        self.decoder.read(buffer)
    }
}

/// A reader that refuses to go on after so many bytes.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other("it is too large"))?;
        Ok(read)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;

    pub(crate) fn gz(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    pub(crate) fn xz(content: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        liblzma::bufread::XzEncoder::new(content, 1).read_to_end(&mut packed).unwrap();
        packed
    }

    pub(crate) fn zst(content: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        unpacked(packed, limit)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn every_packing_is_undone_and_bounded() {
        let content = b"a line\n".repeat(100_000);
        for pack in [gz, xz, zst, |content: &[u8]| content.to_vec()] {
            let packed = pack(&content);
            assert_eq!(read(&packed, content.len() as u64).unwrap(), content);
            assert!(read(&packed, content.len() as u64 - 1).unwrap_err().to_string().contains("too large"));
            let twice = [packed.as_slice(), &packed].concat();
            assert_eq!(read(&twice, 1 << 30).unwrap().len(), 2 * content.len());
        }
        for pack in [gz, xz, zst] {
            let packed = pack(&content);
            for end in [packed.len() / 2, packed.len() - 5] {
                assert!(read(&packed[..end], 1 << 30).is_err(), "{end} of {}", packed.len());
            }
        }
        assert!(read(b"BZh91", 10).unwrap_err().to_string().contains("bzip2"));
    }
}
