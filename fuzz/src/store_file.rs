//! What stands in the files of a store: whatever it is, there is a token, and not a forged one.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, Store, TokenProvider};

use crate::common::{check_token, folder};

struct Place {
    sandbox: Sandbox,
    folder: PathBuf,
    /// Those of the store, once it was used.
    files: Vec<PathBuf>,
}

static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let mut place = Place {
        sandbox: Sandbox::start().unwrap(),
        folder: folder("store-file").join("store"),
        files: Vec::new(),
    };
    place.provider().token().unwrap();
    let entries = fs::read_dir(&place.folder).unwrap();
    place.files = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(!place.files.is_empty());
    place
});

impl Place {
    fn provider(&self) -> TokenProvider {
        let credentials =
            Credentials::new(self.sandbox.client_id(), self.sandbox.client_secret()).unwrap();
        TokenProvider::builder(credentials)
            .options(Options::default().auth_url(self.sandbox.auth_url()))
            .store(Store::folder(&self.folder))
            .build()
            .unwrap()
    }
}

pub fn run(data: &[u8]) {
    let place = &*PLACE;
    for file in &place.files {
        fs::write(file, data).unwrap();
    }
    let before = place.sandbox.requests("/authenticate/");
    let token = place.provider().token().unwrap();
    check_token(&token);
    assert_eq!(place.sandbox.requests("/authenticate/"), before + 1, "nothing there was a token");
    // The next one finds it.
    let found = place.provider().token().unwrap();
    assert!(found == token && place.sandbox.requests("/authenticate/") == before + 1);
}
