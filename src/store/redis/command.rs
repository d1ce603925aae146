//! Writes a command: an array of byte strings
//! (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

pub(super) struct Command {
    parts: usize,
    bytes: Vec<u8>,
}

impl Command {
    pub(super) fn new(name: &str) -> Self {
        Self { parts: 0, bytes: Vec::new() }.arg(name)
    }

    pub(super) fn arg(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.parts += 1;
        self.bytes.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        self.bytes.extend_from_slice(part);
        self.bytes.extend_from_slice(b"\r\n");
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.arg(number.to_string())
    }

    /// As it is sent.
    pub(super) fn packed(&self) -> Vec<u8> {
        [format!("*{}\r\n", self.parts).as_bytes(), &self.bytes].concat()
    }
}
