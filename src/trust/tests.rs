//! Tests when the files of certificates are read again, under a clock that a test sets.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::*;
use crate::sys::authorities::SystemRoots;

/// A folder with a certificate authority in a file, and the trust in both.
struct Case {
    folder: PathBuf,
    moment: Arc<Mutex<Moment>>,
    trust: Trust,
}

impl Case {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("clazar-auth-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("certs")).unwrap();
        let ca_file = folder.join("ca.pem");
        fs::write(&ca_file, authority()).unwrap();
        let moment = Arc::new(Mutex::new(Moment::at(1000.0, 1000.0)));
        let trust = Trust {
            ca_file: Some(CaFile::new(&ca_file).unwrap()),
            sources: Sources::Named { file: None, folders: vec![folder.join("certs")] },
            clock: Clock::Set(moment.clone()),
            kept: ArcSwapOption::empty(),
            missed: ArcSwapOption::empty(),
            warnings: Queue::default(),
        };
        fs::write(folder.join("certs/first.pem"), authority()).unwrap();
        Self { folder, moment, trust }
    }

    fn pass(&self, seconds: f64) {
        self.moment.lock().unwrap().step(seconds, seconds);
    }

    fn config(&self) -> Arc<ClientConfig> {
        self.trust.client_config().unwrap()
    }

    fn roots(&self) -> usize {
        self.trust.read(&mut Reader::new()).unwrap().len()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Puts another file into the place of one, so that the two differ however fast it is done.
fn replace(file: PathBuf, content: String) {
    let new = file.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, file).unwrap();
}

/// A new one, as PEM.
fn authority() -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let case = Case::new("unchanged");
    let first = case.config();
    for _ in 0..3 {
        case.pass(61.0);
        assert!(Arc::ptr_eq(&first, &case.config()));
    }
}

#[test]
fn a_change_is_noticed_after_a_minute() {
    let case = Case::new("changed");
    let certs = case.folder.join("certs");
    let changes: [&dyn Fn(); 4] = [
        &|| replace(case.folder.join("ca.pem"), authority()),
        &|| replace(certs.join("second.pem"), authority()),
        &|| replace(certs.join("first.pem"), authority() + &authority()),
        &|| fs::remove_file(certs.join("second.pem")).unwrap(),
    ];
    let mut last = case.config();
    for change in changes {
        change();
        case.pass(59.0);
        assert!(Arc::ptr_eq(&last, &case.config()), "a look a minute is enough");
        case.pass(2.0);
        let next = case.config();
        assert!(!Arc::ptr_eq(&last, &next));
        last = next;
    }
    assert_eq!(case.roots(), 3);
}

#[test]
fn what_becomes_unreadable_stays_trusted_until_a_certificate_is_refused() {
    let case = Case::new("unreadable");
    let first = case.config();
    let file = case.folder.join("certs/first.pem");
    let content = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    case.pass(61.0);
    assert!(Arc::ptr_eq(&first, &case.config()));
    fs::write(&file, content).unwrap();
    assert!(!Arc::ptr_eq(&first, &case.config()), "it is looked for each time");

    fs::remove_file(&file).unwrap();
    assert!(case.trust.reconsider());
    let error = case.trust.client_config().unwrap_err();
    assert!(error.to_string().contains("no certificate that can be read"), "{error}");
}

/// Where the folders are missing the system's authorities are trusted, of which one may be removed.
#[test]
fn the_systems_bundles_are_looked_at_in_the_place_of_missing_folders() {
    let named = |file: Option<&str>| Sources::Named {
        file: file.map(PathBuf::from),
        folders: vec![PathBuf::from("/nonexistent")],
    };
    for bundle in Sources::System.paths() {
        assert!(named(None).paths().contains(&bundle));
        assert!(!named(Some("/nonexistent/file")).paths().contains(&bundle));
    }
    assert!(named(None).describe().ends_with("(/nonexistent)"), "{}", named(None).describe());
}

#[test]
fn a_refused_certificate_is_worth_another_attempt_only_after_a_change() {
    let case = Case::new("refused");
    let first = case.config();
    assert!(!case.trust.reconsider());
    let second = case.config();
    assert!(!Arc::ptr_eq(&first, &second), "it is read again all the same");
    fs::write(case.folder.join("certs/second.pem"), authority()).unwrap();
    assert!(case.trust.reconsider());
}

#[test]
fn what_the_system_lists_is_trusted_unless_it_is_distrusted() {
    let made = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    };
    let (first, second) = (made(), made());
    let listed = |is_complete| {
        let trusted = vec![first.clone(), b"no certificate".to_vec(), second.clone()];
        sources::listed_anchors(Ok(SystemRoots {
            trusted,
            distrusted: vec![second.clone()],
            is_complete,
        }))
    };
    assert_eq!(listed(true).unwrap(), reader::parse(vec![first.clone()]));
    let mozilla = webpki_roots::TLS_SERVER_ROOTS.len();
    assert_eq!(listed(false).unwrap().len(), mozilla + 1);
    let error = sources::listed_anchors(Err(std::io::Error::other("busy"))).unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("cannot be read (busy)"), "{error}");
}

#[test]
fn what_is_wrong_with_the_systems_own_has_advice_of_its_own() {
    let case = Case::new("system");
    let bundle = case.folder.join("bundle.crt");
    fs::write(&bundle, "no certificate").unwrap();
    let error = sources::Place::System.read(&bundle, &mut Reader::new()).unwrap_err().to_string();
    let start = format!("the system's trust store {} holds no certificate", bundle.display());
    assert!(error.starts_with(&start), "{error}");
    assert!(error.ends_with("; correct it, or name another in SSL_CERT_FILE"), "{error}");
    assert_eq!(Sources::Nothing.describe(), "ca_file alone");
}
