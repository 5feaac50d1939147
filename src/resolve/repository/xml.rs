//! From XML to what opens, closes and is written between, in order, without ever holding more than one element.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::io::{self, BufRead, Read};

/// One tag, text or comment is smaller than this, in bytes.
const EVENT_LIMIT: usize = 4 << 20;
/// Elements lie this deep at most.
const DEPTH_LIMIT: usize = 32;

/// What comes next.
pub(super) enum Item<'a> {
    /// An element opens; its name without prefix, and the tag. One that closes at once (`<a/>`) opens and closes.
    Open(&'a str, &'a BytesStart<'a>),
    Text(&'a str),
    /// An element closes; its name without prefix.
    Close(&'a str),
}

/// Goes through a document and gives each item to `each`.
pub(super) fn walk(
    source: impl BufRead,
    mut each: impl FnMut(Item<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(Metered { reader: source, left: EVENT_LIMIT });
    let mut buffer = Vec::new();
    let mut depth: usize = 0;
    loop {
        buffer.clear();
        reader.get_mut().left = EVENT_LIMIT;
        match reader.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                depth += 1;
                if depth > DEPTH_LIMIT {
                    return Err("its elements lie too deep".into());
                }
                each(Item::Open(utf8(tag.local_name().into_inner())?, &tag))?;
            }
            Event::Empty(tag) => {
                let name = tag.local_name();
                let name = utf8(name.into_inner())?;
                each(Item::Open(name, &tag))?;
                each(Item::Close(name))?;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                each(Item::Close(utf8(tag.local_name().into_inner())?))?;
            }
            Event::Text(text) => each(Item::Text(utf8(&text)?))?,
            Event::CData(text) => each(Item::Text(utf8(&text)?))?,
            // What it stands for cannot be part of a name: its own text will be refused there.
            Event::GeneralRef(_) => each(Item::Text("&"))?,
            Event::Eof if depth > 0 => return Err("it ends too early".into()),
            Event::Eof => return Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
}

/// An attribute's value, as it is written.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    String::from_utf8(found.value.into_owned()).ok()
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

/// A reader that refuses to go on when one item takes too much of it.
struct Metered<R> {
    reader: R,
    left: usize,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other("one of its elements is too large"));
        }
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.reader.consume(amount);
    }
}
