//! Reads the answers of Redis (RESP2), as far as a script of ours can give them, and a sentinel.
//!
//! The parser of the crate `redis` makes room for 4,096 values at each of a hundred levels before it has
//! read one; this one has no levels, and makes room for what is no longer than a blob.

use std::io::{self, BufRead, BufReader, Read};

use crate::store::seal;

/// A value that is too long to open is answered with one byte more than the longest that opens.
const LONGEST_BYTES: usize = seal::LONGEST + 1;
const LONGEST_LINE: u64 = 4096;
const LONGEST_LIST: usize = 6;
/// Two values and what is around them.
const LONGEST: u64 = 2 * LONGEST_BYTES as u64 + LONGEST_LINE;

#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Done,
    Number(i64),
    Bytes(Vec<u8>),
    List(Vec<Answer>),
    Nothing,
    /// The first word says which.
    Error(String),
}

impl Answer {
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for what cannot be the answer to a command of ours.
    pub(super) fn read(stream: impl Read) -> io::Result<Self> {
        let mut input = BufReader::new(stream.take(LONGEST));
        match whole(&mut input) {
            // Nothing else was asked for.
            Ok(_) if !input.buffer().is_empty() => Err(strange()),
            Err(_) if input.get_ref().limit() == 0 => Err(strange()),
            answer => answer,
        }
    }
}

fn whole(input: &mut impl BufRead) -> io::Result<Answer> {
    let (kind, rest) = header(input)?;
    match (kind, rest.as_str()) {
        (b'*', "-1") => return Ok(Answer::Nothing),
        (b'*', _) => {}
        _ => return single(input, kind, &rest),
    }
    let items = (0..number(&rest, LONGEST_LIST)?).map(|_| {
        let (kind, rest) = header(input)?;
        single(input, kind, &rest)
    });
    items.collect::<Result<_, _>>().map(Answer::List)
}

/// The first byte of a line, and the rest of it.
fn header(input: &mut impl BufRead) -> io::Result<(u8, String)> {
    let mut line = Vec::new();
    input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    let is_cut = line.len() as u64 == LONGEST_LINE;
    match line.split_first().map(|(kind, rest)| (kind, rest.strip_suffix(b"\r\n"))) {
        Some((&kind, Some(rest))) => Ok((kind, String::from_utf8_lossy(rest).into_owned())),
        _ if is_cut || line.ends_with(b"\n") => Err(strange()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn single(input: &mut impl Read, kind: u8, rest: &str) -> io::Result<Answer> {
    match kind {
        b'+' => Ok(Answer::Done),
        b':' => rest.parse().map(Answer::Number).map_err(|_| strange()),
        b'-' => Ok(Answer::Error(rest.to_owned())),
        b'$' => {
            let length = number(rest, LONGEST_BYTES)?;
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(length + 2)?;
            bytes.resize(length + 2, 0);
            input.read_exact(&mut bytes)?;
            match bytes.split_off(length).as_slice() {
                b"\r\n" => Ok(Answer::Bytes(bytes)),
                _ => Err(strange()),
            }
        }
        _ => Err(strange()),
    }
}

/// A number that is not larger.
fn number(text: &str, largest: usize) -> io::Result<usize> {
    text.parse().ok().filter(|&number| number <= largest).ok_or_else(strange)
}

fn strange() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Answer, io::ErrorKind> {
        Answer::read(bytes).map_err(|error| error.kind())
    }

    fn longest_value() -> Vec<u8> {
        [b"$65537\r\n", vec![b'x'; LONGEST_BYTES].as_slice(), b"\r\n"].concat()
    }

    #[test]
    fn what_a_script_answers_is_understood() {
        assert_eq!(read(b"+OK\r\n").unwrap(), Answer::Done);
        assert_eq!(read(b":-1\r\n").unwrap(), Answer::Number(-1));
        assert_eq!(read(b"$4\r\na\r\nb\r\n").unwrap(), Answer::Bytes(b"a\r\nb".to_vec()));
        assert_eq!(read(b"$0\r\n\r\n").unwrap(), Answer::Bytes(Vec::new()));
        assert_eq!(read(b"*-1\r\n").unwrap(), Answer::Nothing);
        assert_eq!(read(b"-ERR no\r\n").unwrap(), Answer::Error("ERR no".into()));
        let list = Answer::List(vec![Answer::Number(7), Answer::Bytes(b"x".to_vec())]);
        assert_eq!(read(b"*2\r\n:7\r\n$1\r\nx\r\n").unwrap(), list);
    }

    #[test]
    fn two_values_of_the_longest_kind_fit() {
        let value = longest_value();
        let number = b":9223372036854775807\r\n";
        let parts: [&[u8]; 7] = [b"*6\r\n", number, number, &value, number, &value, number];
        let Answer::List(items) = read(&parts.concat()).unwrap() else { panic!() };
        assert_eq!(items.len(), 6);
    }

    #[test]
    fn what_no_script_answers_is_refused() {
        let value = longest_value();
        for bytes in [
            &b"$65538\r\n"[..],
            b"$300000000\r\n",
            b"$-1\r\n",
            b"$1\r\nabc",
            b"*7\r\n",
            b"*-2\r\n",
            b"*1\r\n*1\r\n",
            b":x\r\n",
            b"\r\n",
            b"OK\n",
            b"%1\r\n",
            b"_\r\n",
            b"+OK\r\n+OK\r\n",
            &[b'+'; 5000],
            &[b"*3\r\n", value.repeat(3).as_slice()].concat(),
        ] {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]);
            assert_eq!(read(bytes), Err(io::ErrorKind::InvalidData), "{shown}");
        }
        for bytes in [&b""[..], b"+OK\r", b"$3\r\nab", b"*2\r\n:1\r\n"] {
            assert_eq!(read(bytes), Err(io::ErrorKind::UnexpectedEof), "{bytes:?}");
        }
    }
}
