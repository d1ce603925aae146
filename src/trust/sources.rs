//! Finds where the trusted certificate authorities come from.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::reader::{Anchors, Reader, parse};
use crate::env::Common;
use crate::error::{Error, ErrorKind};
use crate::sys::authorities::{self, SystemRoots};
use crate::sys::file::{FileError, not_opened};

/// Where systems that keep them in files have all trusted authorities in one, most common first.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

/// What is trusted besides `ca_file`.
pub(super) enum Sources {
    Nothing,
    /// The system's list or bundle, or Mozilla's roots if it has none.
    System,
    /// What the environment names in their place.
    Named {
        file: Option<PathBuf>,
        folders: Vec<PathBuf>,
    },
}

impl Sources {
    pub(super) fn from_env(variables: Common) -> Result<Self, Error> {
        let file = variables.read("SSL_CERT_FILE")?.map(PathBuf::from);
        let folders = variables.read("SSL_CERT_DIR")?.unwrap_or_default();
        let folders = env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty());
        let folders: Vec<_> = folders.collect();
        let are_none = file.is_none() && folders.is_empty();
        Ok(if are_none { Self::System } else { Self::Named { file, folders } })
    }

    /// Refuses an SSL_CERT_FILE that is not there, as curl does; OpenSSL passes over it.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Self::Named { file: Some(file), .. } = self else { return Ok(()) };
        match fs::metadata(file).map_err(not_opened) {
            Err(why) if !why.is_transient() => Err(Place::File.unread(file, why)),
            _ => Ok(()),
        }
    }

    /// What is trusted now.
    pub(super) fn read(&self, reader: &mut Reader) -> Result<Anchors, Error> {
        match self {
            Self::Nothing => Ok(Anchors::new()),
            // As if it were unset, which OpenSSL does with a folder that is not there.
            Self::Named { file: None, folders } if are_missing(folders) => {
                for folder in folders {
                    read_folder(folder, reader)?;
                }
                Self::System.read(reader)
            }
            Self::Named { file, folders } => {
                let mut anchors = match file {
                    Some(file) => Place::File.read(file, reader)?,
                    None => Anchors::new(),
                };
                for folder in folders {
                    anchors.extend(read_folder(folder, reader)?);
                }
                if anchors.is_empty() { Err(nothing_named(reader)) } else { Ok(anchors) }
            }
            Self::System => match (authorities::list(), system_bundle()) {
                (Some(listed), _) => listed_anchors(listed),
                (None, Some(bundle)) => Place::System.read(bundle, reader),
                (None, None) => Ok(mozilla()),
            },
        }
    }

    /// The files and folders that say what is trusted, or will if others are missing.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let bundles = BUNDLES.iter().map(PathBuf::from);
        match self {
            Self::Nothing => Vec::new(),
            Self::Named { file: None, folders } => folders.iter().cloned().chain(bundles).collect(),
            Self::Named { file, folders } => file.iter().chain(folders).cloned().collect(),
            Self::System => bundles.collect(),
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match (self, system_bundle()) {
            (Self::Nothing, _) => "ca_file alone".to_owned(),
            (Self::Named { file, folders }, _) => {
                let paths = file.iter().chain(folders);
                let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
                format!("SSL_CERT_FILE or SSL_CERT_DIR ({})", paths.join(", "))
            }
            (Self::System, bundle) => match (authorities::NAME, bundle) {
                (Some(name), _) => format!("the system's {name}"),
                (None, Some(bundle)) => format!("the system's {}", bundle.display()),
                (None, None) => "Mozilla, since the system has no list of its own".to_owned(),
            },
        }
    }
}

/// What a file or a folder of certificates is to us.
#[derive(Clone, Copy)]
pub(super) enum Place {
    CaFile,
    /// SSL_CERT_FILE.
    File,
    /// In SSL_CERT_DIR.
    Folder,
    System,
}

impl Place {
    /// The authorities in it, of which there must be one.
    pub(super) fn read(self, path: &Path, reader: &mut Reader) -> Result<Anchors, Error> {
        let anchors = reader.read(path).map_err(|why| self.unread(path, why))?;
        match (anchors.is_empty(), &reader.missed) {
            (false, _) => Ok(anchors),
            (true, None) => Err(self.unusable(path, "holds no certificate that can be read")),
            (true, Some(missed)) => Err(for_now(missed)),
        }
    }

    fn unread(self, path: &Path, why: FileError) -> Error {
        if why.is_transient() {
            return for_now(&format!("{} {why}", self.name(path)));
        }
        self.unusable(path, why)
    }

    fn unusable(self, path: &Path, why: impl Display) -> Error {
        let advice = match self {
            Self::CaFile => "give a PEM file of certificate authorities",
            Self::File | Self::Folder => "correct or unset it",
            Self::System => "correct it, or name another in SSL_CERT_FILE",
        };
        Error::invalid(format!("{} {why}; {advice}", self.name(path)))
    }

    fn name(self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::CaFile => format!("the ca_file {path}"),
            Self::File => format!("the file {path} that SSL_CERT_FILE names"),
            Self::Folder => format!("the folder {path} that SSL_CERT_DIR names"),
            Self::System => format!("the system's trust store {path}"),
        }
    }
}

fn are_missing(folders: &[PathBuf]) -> bool {
    folders.iter().all(|folder| matches!(folder.try_exists(), Ok(false)))
}

/// One that is not there is skipped, as OpenSSL does.
fn read_folder(path: &Path, reader: &mut Reader) -> Result<Anchors, Error> {
    match reader.read(path) {
        Ok(anchors) => Ok(anchors),
        Err(why @ FileError::Larger(_)) => Err(Place::Folder.unread(path, why)),
        Err(why) => {
            if !why.is_transient() {
                reader.passed_over.push(format!("{} {why}", Place::Folder.name(path)));
            }
            Ok(Anchors::new())
        }
    }
}

/// Who names a trust store wants no other in its place.
fn nothing_named(reader: &Reader) -> Error {
    if let Some(missed) = &reader.missed {
        return for_now(missed);
    }
    let passed_over: Vec<_> = reader.passed_over.iter().map(|what| format!(" ({what})")).collect();
    Error::invalid(format!(
        "SSL_CERT_FILE and SSL_CERT_DIR name no certificate that can be read{}; correct or unset them",
        passed_over.concat()
    ))
}

/// What may pass.
pub(super) fn for_now(what: &str) -> Error {
    Error::new(
        ErrorKind::Transport,
        format!("whom to trust is not known now, since {what}; try again"),
    )
}

/// A list that is not whole has only those that were needed once; Mozilla's fill the gaps.
pub(super) fn listed_anchors(listed: io::Result<SystemRoots>) -> Result<Anchors, Error> {
    let listed = listed.map_err(|error| {
        let name = authorities::NAME.unwrap_or("list of authorities");
        for_now(&format!("the system's {name} cannot be read ({error})"))
    })?;
    let mut anchors = parse(listed.trusted);
    if !listed.is_complete {
        anchors.extend(mozilla());
    }
    let distrusted: HashSet<_> =
        parse(listed.distrusted).into_iter().map(|anchor| anchor.subject_public_key_info).collect();
    anchors.retain(|anchor| !distrusted.contains(&anchor.subject_public_key_info));
    Ok(anchors)
}

fn mozilla() -> Anchors {
    webpki_roots::TLS_SERVER_ROOTS.to_vec()
}

fn system_bundle() -> Option<&'static Path> {
    let may_be_there = |path: &&Path| match fs::metadata(path).map_err(not_opened) {
        Ok(_) => true,
        // Nothing takes the place of a bundle that cannot be looked at now.
        Err(why) => why.is_transient(),
    };
    BUNDLES.iter().map(Path::new).find(may_be_there)
}
