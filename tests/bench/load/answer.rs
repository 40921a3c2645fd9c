//! How much of an answer has come: the head's Content-Length says how long it is.

/// The request that all of this program's clients send.
pub(crate) const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench-load\r\n\r\n";

/// An answer on its way. Its head has to be complete within the first [`Answer::HEAD`] bytes.
#[derive(Default)]
pub(crate) struct Answer {
    head: Vec<u8>,
    /// Bytes still to come, once the head is known.
    left: Option<usize>,
}

/// Where an answer stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More has to come.
    Partial,
    /// It is whole; the next may begin.
    Whole,
    /// Not the `200` of the expected length that the origin sends.
    Wrong,
}

impl Answer {
    const HEAD: usize = 8_192;

    /// Takes what came.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Progress {
        let left = match self.left {
            Some(left) => left.checked_sub(bytes.len()),
            None => match self.head_with(bytes) {
                Head::Partial => return Progress::Partial,
                Head::Wrong => return Progress::Wrong,
                Head::Left(left) => left,
            },
        };
        match left {
            None => Progress::Wrong,
            Some(0) => {
                self.head.clear();
                self.left = None;
                Progress::Whole
            }
            Some(_) => {
                self.left = left;
                Progress::Partial
            }
        }
    }

    /// Looks for the end of the head, usually in the first piece without keeping it.
    fn head_with(&mut self, bytes: &[u8]) -> Head {
        if self.head.is_empty() {
            let head = Head::of(bytes);
            if head == Head::Partial {
                self.head.extend_from_slice(bytes);
            }
            return head;
        }
        self.head.extend_from_slice(bytes);
        match Head::of(&self.head) {
            Head::Partial if self.head.len() > Self::HEAD => Head::Wrong,
            head => head,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Head {
    Partial,
    /// Whole; this much of the body is to come (`None`: more came than belongs to it).
    Left(Option<usize>),
    Wrong,
}

impl Head {
    fn of(bytes: &[u8]) -> Head {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Head::Partial;
        };
        if !bytes.starts_with(b"HTTP/1.1 200 ") {
            return Head::Wrong;
        }
        match content_length(&bytes[..end]) {
            Some(length) => Head::Left(length.checked_sub(bytes.len() - end - 4)),
            None => Head::Wrong,
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|&byte| byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    let value = line[NAME.len()..].trim_ascii();
    str::from_utf8(value).ok()?.parse().ok()
}
