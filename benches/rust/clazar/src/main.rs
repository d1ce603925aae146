//! This project, as a Rust program uses it.

use std::hint::black_box;

use clazar_auth::TokenProvider;
use protocol::Subject;

struct Provider(TokenProvider);

impl Subject for Provider {
    fn authorization(&self) -> Result<String, String> {
        let token = self.0.token().map_err(|error| error.to_string())?;
        Ok(token.authorization().to_owned())
    }

    fn request(&self) {
        self.0.refresh().unwrap();
    }

    fn cached(&self, way: &str, calls: usize) {
        match way {
            "token" => (0..calls).for_each(|_| drop(black_box(self.0.token().unwrap()))),
            _ => (0..calls).for_each(|_| {
                let mut buffer = [0; 1024];
                let copy = |header: &str| buffer[..header.len()].copy_from_slice(header.as_bytes());
                self.0.with_authorization(copy).unwrap();
                black_box(&buffer);
            }),
        }
    }
}

fn main() {
    protocol::run(|| Provider(TokenProvider::from_env().unwrap()));
}
