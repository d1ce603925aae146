//! Makes what only this user may use, and checks whether others may use a thing.

use std::ffi::c_void;
use std::fs::File;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::{io, ptr};

use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACE_HEADER, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce,
    GetTokenInformation, IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID,
    SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser, WELL_KNOWN_SID_TYPE,
    WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid, WinCreatorOwnerSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_GENERIC_WRITE,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
};
use windows_sys::Win32::System::SystemServices::{ACCESS_ALLOWED_ACE_TYPE, ACCESS_DENIED_ACE_TYPE};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// Who can do everything anyway.
const ADMINISTRATORS: [WELL_KNOWN_SID_TYPE; 2] = [WinLocalSystemSid, WinBuiltinAdministratorsSid];
/// Whoever owns a thing, or will own what is made in it.
const OWNERS: [WELL_KNOWN_SID_TYPE; 2] = [WinCreatorOwnerSid, WinCreatorOwnerRightsSid];

/// Makes a folder, whose path ends in NUL, that only this user may use, and so what will be in it.
pub(super) fn make_folder(path: &[u16]) -> io::Result<()> {
    let descriptor = Descriptor::for_this_user_alone()?;
    // SAFETY: the path ends in NUL, and the attributes are valid.
    is_ok(unsafe { CreateDirectoryW(path.as_ptr(), &descriptor.attributes()) })
}

/// Makes a file that was not there, whose path ends in NUL, that only this user may use.
pub(super) fn make_file(path: &[u16]) -> io::Result<File> {
    let descriptor = Descriptor::for_this_user_alone()?;
    // SAFETY: as above; there is no template.
    let file = unsafe {
        CreateFileW(
            path.as_ptr(),
            FILE_GENERIC_WRITE,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            &descriptor.attributes(),
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            ptr::null_mut(),
        )
    };
    if file == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was opened here.
    Ok(unsafe { File::from_raw_handle(file) })
}

/// Why a file or a folder is not this user's alone: what follows "it".
pub(super) fn flaw(opened: &impl AsRawHandle) -> io::Result<Option<&'static str>> {
    let user = CurrentUser::of_this_process()?;
    let (mut owner, mut list, mut descriptor) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the handle is open, and all pointers are valid for a write.
    let error = unsafe {
        GetSecurityInfo(
            opened.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
            &mut owner,
            ptr::null_mut(),
            &mut list,
            ptr::null_mut(),
            &mut descriptor,
        )
    };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error as i32));
    }
    let _descriptor = Descriptor(descriptor);
    // SAFETY: both are in the descriptor, or null.
    Ok(unsafe { user.flaw(owner, list) })
}

/// The entries of an access control list.
fn entries(list: &ACL) -> impl Iterator<Item = *const ACE_HEADER> {
    (0..u32::from(list.AceCount)).map(move |index| {
        let mut entry = ptr::null_mut();
        // SAFETY: the list has so many entries; where one cannot be read, it stays null.
        unsafe { GetAce(list, index, &mut entry) };
        entry.cast_const().cast()
    })
}

/// The user that this process runs as.
struct CurrentUser(Vec<u64>);

impl CurrentUser {
    fn of_this_process() -> io::Result<Self> {
        let mut token = ptr::null_mut();
        // SAFETY: `token` is valid for a write.
        is_ok(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) })?;
        // SAFETY: the handle was opened here.
        let token = unsafe { OwnedHandle::from_raw_handle(token) };
        let mut size = 0;
        // SAFETY: with no room it tells how much is needed.
        unsafe {
            GetTokenInformation(token.as_raw_handle(), TokenUser, ptr::null_mut(), 0, &mut size);
        }
        // What is aligned for a TOKEN_USER.
        let mut room = vec![0_u64; (size as usize).div_ceil(size_of::<u64>())];
        let start = room.as_mut_ptr().cast();
        // SAFETY: there is room for so many bytes.
        is_ok(unsafe {
            GetTokenInformation(token.as_raw_handle(), TokenUser, start, size, &mut size)
        })?;
        Ok(Self(room))
    }

    fn sid(&self) -> PSID {
        // SAFETY: it was filled with a TOKEN_USER, whose SID is in there too.
        unsafe { (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }

    fn is(&self, other: PSID) -> bool {
        // SAFETY: both are SIDs.
        unsafe { EqualSid(self.sid(), other) != 0 }
    }

    /// The SID as SDDL has it, such as S-1-5-21-1.
    fn sid_text(&self) -> io::Result<String> {
        let mut text = ptr::null_mut();
        // SAFETY: the SID is valid, and `text` for a write.
        is_ok(unsafe { ConvertSidToStringSidW(self.sid(), &mut text) })?;
        // SAFETY: the text ends in NUL.
        let length = (0..).take_while(|&at| unsafe { *text.add(at) } != 0).count();
        // SAFETY: it has so many characters.
        let sid = String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) });
        // SAFETY: the text was made above.
        unsafe { LocalFree(text.cast()) };
        Ok(sid)
    }

    /// Why what has this owner and this list is not this user's alone.
    ///
    /// # Safety
    /// Both must be valid, or null: a file system may have none.
    unsafe fn flaw(&self, owner: PSID, list: *const ACL) -> Option<&'static str> {
        if owner.is_null() || !self.is(owner) && !is_any_of(owner, &ADMINISTRATORS) {
            return Some("belongs to another user");
        }
        // SAFETY: the caller vouches for it; without a list, everybody may do everything.
        let list = unsafe { list.as_ref() };
        let is_ours =
            list.is_some_and(|list| entries(list).all(|entry| self.grants_nobody_else(entry)));
        (!is_ours).then_some("can be used by other users")
    }

    /// Whether this entry gives rights to nobody but the user, the owner and administrators.
    fn grants_nobody_else(&self, entry: *const ACE_HEADER) -> bool {
        // SAFETY: an entry begins with its kind; null is one that cannot be read.
        let Some(header) = (unsafe { entry.as_ref() }) else { return false };
        match u32::from(header.AceType) {
            ACCESS_DENIED_ACE_TYPE => true,
            ACCESS_ALLOWED_ACE_TYPE => {
                // SAFETY: an entry of this kind has a SID there.
                let sid = unsafe { &raw const (*entry.cast::<ACCESS_ALLOWED_ACE>()).SidStart };
                let sid: PSID = sid.cast_mut().cast();
                self.is(sid) || is_any_of(sid, &ADMINISTRATORS) || is_any_of(sid, &OWNERS)
            }
            _ => false,
        }
    }
}

fn is_any_of(sid: PSID, kinds: &[WELL_KNOWN_SID_TYPE]) -> bool {
    // SAFETY: the SID is valid.
    kinds.iter().any(|&kind| unsafe { IsWellKnownSid(sid, kind) != 0 })
}

/// A security descriptor: the owner, and the access control list.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// What is made in a folder inherits it.
    fn for_this_user_alone() -> io::Result<Self> {
        let user = CurrentUser::of_this_process()?.sid_text()?;
        Self::parse(&format!("O:{user}D:P(A;OICI;FA;;;{user})"))
    }

    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends in NUL, and `descriptor` is valid for a write.
        is_ok(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system made it, for this owner alone.
        unsafe { LocalFree(self.0.cast::<c_void>()) };
    }
}

fn is_ok(result: windows_sys::core::BOOL) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
pub(super) mod tests {
    use windows_sys::Win32::Security::{
        GetSecurityDescriptorDacl, GetSecurityDescriptorOwner, SetFileSecurityW,
    };

    use super::*;

    /// Lets everybody read what this path, which ends in NUL, leads to.
    pub fn share(path: &[u16]) -> io::Result<()> {
        let user = CurrentUser::of_this_process()?.sid_text()?;
        let descriptor = Descriptor::parse(&format!("D:P(A;;FA;;;{user})(A;;FR;;;WD)"))?;
        // SAFETY: the path ends in NUL, and the descriptor is valid.
        is_ok(unsafe { SetFileSecurityW(path.as_ptr(), DACL_SECURITY_INFORMATION, descriptor.0) })
    }

    /// The flaw of what has this descriptor, in which USER is this user.
    fn flaw_of(text: &str) -> Option<&'static str> {
        let user = CurrentUser::of_this_process().unwrap();
        let descriptor =
            Descriptor::parse(&text.replace("USER", &user.sid_text().unwrap())).unwrap();
        let (mut owner, mut list) = (ptr::null_mut(), ptr::null_mut());
        let (mut is_there, mut is_default) = (0, 0);
        // SAFETY: the descriptor is valid, and all pointers are for a write.
        unsafe {
            GetSecurityDescriptorOwner(descriptor.0, &mut owner, &mut is_default);
            GetSecurityDescriptorDacl(descriptor.0, &mut is_there, &mut list, &mut is_default);
            user.flaw(owner, list)
        }
    }

    #[test]
    fn what_another_may_use_or_owns_is_found() {
        for text in [
            "O:USERD:P(A;OICI;FA;;;USER)",
            "O:BAD:P(A;;FA;;;USER)(A;;FA;;;SY)(A;;FA;;;BA)",
            "O:USERD:(D;;FA;;;WD)(A;;FA;;;USER)(A;OICIIO;FA;;;CO)",
            "O:USERD:P",
        ] {
            assert_eq!(flaw_of(text), None, "{text}");
        }
        for text in [
            "O:USERD:P(A;;FA;;;USER)(A;;FR;;;WD)",
            "O:USERD:P(A;;FA;;;USER)(A;;FR;;;BU)",
            "O:USERD:P(A;;FA;;;USER)(A;OICIIO;FR;;;AU)",
            "O:USER",
        ] {
            assert_eq!(flaw_of(text), Some("can be used by other users"), "{text}");
        }
        for text in ["O:BUD:P(A;;FA;;;USER)", "D:P(A;;FA;;;USER)"] {
            assert_eq!(flaw_of(text), Some("belongs to another user"), "{text}");
        }
    }
}
