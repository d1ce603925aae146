//! Seals what leaves the process, in one format that only a holder of the client secret can read.
//!
//! ```text
//! magic  "CLZA"              4 bytes
//! version 1                  1 byte
//! item                       1 byte, what the text is: 1 a token, 2 a back-off, 3 a probe
//! salt                      32 bytes, fresh for each blob
//! ciphertext                 a multiple of 1,024 bytes
//! tag                       16 bytes
//! ```
//!
//! The key is HKDF-SHA256 (RFC 5869) of the client secret with the salt, for the version, the
//! authentication URL and the client id. Each key seals one blob with AES-256-GCM, so the nonce is zero;
//! all that comes before the ciphertext is authenticated with it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::digest::{Digest, SHA256, digest};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::session::Item;
use crate::secret::Secret;
use crate::text::hex;

pub(super) const MAGIC: &[u8; 4] = b"CLZA";
const VERSION: u8 = 1;
const SALT: usize = 32;
pub(super) const HEADER: usize = MAGIC.len() + 2 + SALT;
const TAG: usize = 16;
const BLOCK: usize = 1024;

/// A larger blob does not come from this library.
pub(crate) const LONGEST: usize = 64 * 1024;

/// The longest blob of a text of so many bytes.
pub(crate) const fn sealed_length(text: usize) -> usize {
    HEADER + text.next_multiple_of(BLOCK) + TAG
}

/// HKDF is no hash for passwords: a secret that can be guessed would be betrayed by the blob.
pub(crate) const SHORTEST_SECRET: usize = 32;

/// Whose token a blob holds.
pub(crate) struct Identity {
    /// Of the URL and the client.
    hash: Digest,
    info: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(auth_url: &str, client_id: &str) -> Self {
        let parts = |first: &[u8]| {
            let parts = [first, auth_url.as_bytes(), client_id.as_bytes()];
            parts.into_iter().flat_map(length_prefixed).collect::<Vec<u8>>()
        };
        Self { hash: digest(&SHA256, &parts(b"clazar-auth blob")), info: parts(&[VERSION]) }
    }

    /// Under which a store keeps what is sealed with `secret`: two secrets that are valid at a time do not
    /// replace each other's. The first half is the same for all secrets; the second tells no more of this one than the
    /// blob does.
    pub(crate) fn name(&self, secret: &Secret) -> String {
        let hash = self.hash.as_ref();
        let salt = Salt::new(HKDF_SHA256, hash);
        let pseudorandom = salt.extract(secret.expose().as_bytes());
        let mut of_secret = [0; 32];
        let expanded = pseudorandom.expand(&[b"clazar-auth name"], HKDF_SHA256);
        expanded.and_then(|okm| okm.fill(&mut of_secret)).expect("HKDF gives so many bytes");
        hex(&hash[..16]) + &hex(&of_secret[..16])
    }
}

fn length_prefixed(part: &[u8]) -> impl Iterator<Item = u8> + '_ {
    (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied())
}

/// Seals `text`, which must not end in a space.
pub(crate) fn seal(
    identity: &Identity,
    secret: &Secret,
    item: Item,
    text: &[u8],
) -> Option<Vec<u8>> {
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).ok()?;
    seal_with(identity, secret, item, text, &salt)
}

pub(super) fn seal_with(
    identity: &Identity,
    secret: &Secret,
    item: Item,
    text: &[u8],
    salt: &[u8; SALT],
) -> Option<Vec<u8>> {
    let whole = sealed_length(text.len());
    let mut blob = Vec::with_capacity(whole);
    blob.extend_from_slice(MAGIC);
    blob.push(VERSION);
    blob.push(item as u8);
    blob.extend_from_slice(salt);
    // Encrypted in place, so that no plain copy is left behind.
    blob.extend_from_slice(text);
    blob.resize(whole - TAG, b' ');
    let (header, plain) = blob.split_at_mut(HEADER);
    let key = key(identity, secret, salt)?;
    let tag = key.seal_in_place_separate_tag(nonce(), Aad::from(&header), plain).ok()?;
    blob.extend_from_slice(tag.as_ref());
    Some(blob)
}

/// The text of a blob that was sealed for the same identity, with the same secret and as the same item;
/// `None` for all else.
pub(crate) fn open(
    identity: &Identity,
    secret: &Secret,
    item: Item,
    blob: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let header = blob.get(..HEADER).filter(|_| blob.len() <= LONGEST)?;
    let salt = &header[HEADER - SALT..];
    if header[..HEADER - SALT] != [&MAGIC[..], &[VERSION, item as u8]].concat() {
        return None;
    }
    let (sealed, tag) = blob[HEADER..].split_last_chunk::<TAG>()?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let key = key(identity, secret, salt)?;
    let (aad, tag) = (Aad::from(header), Tag::from(*tag));
    key.open_in_place_separate_tag(nonce(), aad, tag, &mut text, 0..).ok()?;
    let length = text.trim_ascii_end().len();
    text.truncate(length);
    Some(text)
}

fn key(identity: &Identity, secret: &Secret, salt: &[u8]) -> Option<LessSafeKey> {
    let pseudorandom = Salt::new(HKDF_SHA256, salt).extract(secret.expose().as_bytes());
    let info = [identity.info.as_slice()];
    let material = pseudorandom.expand(&info, &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(material)))
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = br#"{"token":"not-a-real-token"}"#;

    fn identity() -> Identity {
        Identity::new("https://api.clazar.io/authenticate/", "not-a-real-client")
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    const SECRET: &str = "not-a-real-secret-0123456789abcdef";

    fn sealed() -> Vec<u8> {
        seal(&identity(), &secret(SECRET), Item::Token, TEXT).unwrap()
    }

    fn opened(blob: &[u8]) -> Option<Vec<u8>> {
        open(&identity(), &secret(SECRET), Item::Token, blob).map(|text| text.to_vec())
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let long = vec![b'x'; 8100];
        for text in [TEXT, &long, b""] {
            let blob = seal(&identity(), &secret(SECRET), Item::Token, text).unwrap();
            assert_eq!((blob.len() - HEADER - TAG) % BLOCK, 0);
            assert_eq!(opened(&blob).unwrap(), text);
        }
        assert_ne!(sealed(), sealed(), "each blob has a salt of its own");
    }

    #[test]
    fn a_changed_bit_anywhere_is_a_miss() {
        let blob = sealed();
        for at in 0..blob.len() {
            for bit in 0..8 {
                let mut changed = blob.clone();
                changed[at] ^= 1 << bit;
                assert!(opened(&changed).is_none(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_shorter_or_longer_blob_is_a_miss() {
        let blob = sealed();
        for length in 0..blob.len() {
            assert!(opened(&blob[..length]).is_none(), "{length} bytes");
        }
        assert!(opened(&[blob.as_slice(), b"\0"].concat()).is_none());
        assert!(opened(&vec![0; LONGEST + 1]).is_none());
    }

    #[test]
    fn another_owner_cannot_open_it() {
        let blob = sealed();
        for (url, client) in [
            ("https://api.clazar.io/authenticate", "not-a-real-client"),
            ("https://api.clazar.io/authenticate/", "not-a-real-clien"),
            ("https://api.clazar.io/authenticate/n", "ot-a-real-client"),
        ] {
            let other = Identity::new(url, client);
            assert!(open(&other, &secret(SECRET), Item::Token, &blob).is_none());
            assert_ne!(other.name(&secret(SECRET)), identity().name(&secret(SECRET)));
        }
        let rotated = secret("not-a-real-secret-0123456789abcdeg");
        assert!(open(&identity(), &rotated, Item::Token, &blob).is_none());
        let names = [&rotated, &secret(SECRET)].map(|secret| identity().name(secret));
        assert_eq!(names[0][..32], names[1][..32]);
        assert_ne!(names[0][32..], names[1][32..]);
    }

    /// A back-off that is put in a token's place is no token.
    #[test]
    fn nothing_opens_as_another_item() {
        let blob = sealed();
        for item in [Item::Backoff, Item::Probe] {
            assert!(open(&identity(), &secret(SECRET), item, &blob).is_none());
            let mut changed = blob.clone();
            changed[MAGIC.len() + 1] = item as u8;
            assert!(open(&identity(), &secret(SECRET), item, &changed).is_none());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// The short form of `fuzz/src/sealed.rs`.
        #[test]
        fn nothing_else_opens(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
            at in 0..1000_usize,
            starts_well in any::<bool>(),
        ) {
            let mut blob = sealed();
            if starts_well {
                blob.splice(at.min(blob.len()).., bytes);
            } else {
                blob = bytes;
            }
            prop_assert!(opened(&blob).is_none());
        }
    }

    /// A blob of this version opens in all later ones.
    #[test]
    fn the_format_stays() {
        let salt = std::array::from_fn(|at| at as u8);
        let blob = seal_with(&identity(), &secret(SECRET), Item::Token, TEXT, &salt).unwrap();
        let committed = include_bytes!("seal_v1.blob");
        assert!(blob == committed, "the format has changed");
        assert_eq!(opened(committed).unwrap(), TEXT);
    }
}
