//! A kernel module's file -> what it says of itself and what it asks of a kernel.
//!
//! Sources: `include/linux/module.h` and `scripts/mod/modpost.c` of the kernel (`.modinfo`, `__versions` with
//! `struct modversion_info`, `__version_ext_crcs` and `__version_ext_names` since 6.14), `include/linux/module_signature.h`
//! and `kernel/module/signing.c` (the signature that is appended).

use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use der::Decode as _;
use object::elf::{FileHeader64, SHT_SYMTAB, STB_WEAK};
use object::read::elf::{FileHeader as _, SectionHeader as _, SectionTable, Sym as _};
use object::{Endianness, ReadRef};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What stands at the end of a signed module.
const SIGNED: &[u8] = b"~Module signature appended~\n";
/// `struct module_signature`.
const SIGNATURE_INFO: u64 = 12;
/// `PKEY_ID_PKCS7`, the only kind that kernels still take.
const PKCS7: u8 = 2;
/// `struct modversion_info` of a 64-bit kernel: a CRC in eight bytes, a name in 56.
const VERSION: usize = 64;

/// Largest table of symbols, and largest other section that is read: GPU drivers have a tenth of it.
const SECTION: u64 = 32 << 20;
/// Largest signature.
const SIGNATURE: u64 = 1 << 20;
/// Most modules that one may depend on, and most lines of `.modinfo` of any one kind: those with the most devices have
/// some thousands.
const NAMED: usize = 50_000;
const DEPENDS: usize = 1_000;

/// A module as its file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// Its name, with `_` for `-`.
    pub name: String,
    /// `vermagic` of `.modinfo`: the kernel release and what else must be equal.
    pub vermagic: Option<String>,
    /// Modules whose symbols it uses.
    pub depends: Vec<String>,
    /// `softdep` lines.
    pub softdeps: Vec<String>,
    /// Firmware files that it may ask for.
    pub firmware: Vec<String>,
    /// Names of its parameters.
    pub parameters: Vec<String>,
    /// Devices that it is loaded for.
    pub aliases: Vec<String>,
    /// Licence.
    pub license: Option<String>,
    /// `version`, as its author wrote it.
    pub version: Option<String>,
    /// `srcversion`: a sum of its source files, where the kernel keeps one.
    pub srcversion: Option<String>,
    /// Namespaces of symbols that it imports.
    pub namespaces: Vec<String>,
    /// Symbols that it leaves to others, with the version (CRC) that it was built against where it says so.
    pub imports: BTreeMap<String, Option<u32>>,
    /// Those of them that need not exist.
    pub weak: BTreeSet<String>,
    /// Symbols that it gives to others.
    pub exports: BTreeSet<String>,
    pub signature: Option<Signature>,
}

/// A signature appended to a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Common name of the signing certificate's issuer, or its key identifier.
    pub signer: String,
    /// Name of the hash, as the kernel writes it: `sha512`.
    pub hash: String,
    /// The PKCS#7 message.
    pub message: Vec<u8>,
    /// So many bytes of the file are signed.
    pub signed: u64,
}

/// Why a file is no module, or not one that a kernel takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(String);

impl Module {
    /// Reads a module that is not packed. `file_name` gives the name where the module does not.
    ///
    /// # Errors
    /// It is not a 64-bit relocatable ELF file, or says what it cannot mean.
    pub fn parse<'d, R: ReadRef<'d>>(file_name: &str, data: R) -> Result<Self, Damaged> {
        let signature = signature(data)?;
        let not_elf = |cause| Damaged(format!("not a 64-bit ELF file: {cause}"));
        let header = FileHeader64::<Endianness>::parse(data).map_err(not_elf)?;
        let endian = header.endian().map_err(not_elf)?;
        if header.e_shnum(endian) == 0 {
            return Err(Damaged("it has no sections".to_owned()));
        }
        let sections = header.sections(endian, data).map_err(not_elf)?;
        let section = |name: &str| section(&sections, endian, data, name);
        let info = section(".modinfo")?;
        if info.is_empty() {
            return Err(Damaged("it has no .modinfo section, so it is not a kernel module".to_owned()));
        }
        let mut module = Self { signature, ..Self::default() };
        for (key, value) in
            strings(info).filter_map(|line| line.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
        {
            module.say(&key, value);
        }
        let most =
            [&module.softdeps, &module.firmware, &module.namespaces, &module.parameters, &module.aliases];
        if module.depends.len() > DEPENDS || most.iter().any(|lines| lines.len() > NAMED) {
            return Err(Damaged("its .modinfo lists more than any driver has".to_owned()));
        }
        if module.name.is_empty() {
            module.name = kmod_name(file_name);
        }
        let (crcs, names) = (section("__version_ext_crcs")?, section("__version_ext_names")?);
        let versions = versions(header.is_little_endian(), section("__versions")?, crcs, names);
        let mut tables = sections.iter().filter(|section| section.sh_type(endian) == SHT_SYMTAB);
        if tables.any(|table| table.sh_size(endian) > SECTION) {
            return Err(Damaged(format!("its table of symbols has more than {SECTION} bytes")));
        }
        let symbols = sections.symbols(endian, data, SHT_SYMTAB).map_err(not_elf)?;
        for symbol in symbols.iter() {
            let Ok(name) = symbol.name(endian, symbols.strings()) else { continue };
            let name = &*String::from_utf8_lossy(name);
            if symbol.is_undefined(endian) && !name.is_empty() {
                module.imports.insert(name.to_owned(), versions.get(name).copied());
                if symbol.st_bind() == STB_WEAK {
                    module.weak.insert(name.to_owned());
                }
            } else if let Some(exported) = name.strip_prefix("__ksymtab_") {
                module.exports.insert(exported.to_owned());
            }
        }
        // The layout of `struct module` has a version too, and no symbol.
        let layout = versions.get("module_layout").map(|&crc| ("module_layout".to_owned(), Some(crc)));
        module.imports.extend(layout);
        Ok(module)
    }

    fn say(&mut self, key: &str, value: String) {
        match key {
            "name" => self.name = kmod_name(&value),
            "vermagic" => self.vermagic = Some(value),
            "license" => self.license = Some(value),
            "version" => self.version = Some(value),
            "srcversion" => self.srcversion = Some(value),
            "depends" => {
                self.depends = value.split(',').filter(|name| !name.is_empty()).map(kmod_name).collect()
            }
            "softdep" => self.softdeps.push(value),
            "firmware" => self.firmware.push(value),
            "import_ns" => self.namespaces.push(value),
            "alias" => self.aliases.push(value),
            "parmtype" => self.parameters.extend(value.split_once(':').map(|(name, _)| name.to_owned())),
            _ => {}
        }
    }

    /// The kernel release that it was built for: the first word of `vermagic`.
    #[must_use]
    pub fn kernel(&self) -> Option<&str> {
        self.vermagic.as_deref()?.split(' ').next()
    }
}

/// A module's name as the kernel knows it: of a file name or a name, with `_` for `-`.
#[must_use]
pub fn kmod_name(text: &str) -> String {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.split(".ko").next().unwrap_or(name).replace('-', "_")
}

/// The bytes of a section; none, where there is no such section.
fn section<'d, R: ReadRef<'d>>(
    sections: &SectionTable<'d, FileHeader64<Endianness>, R>,
    endian: Endianness,
    data: R,
    name: &str,
) -> Result<&'d [u8], Damaged> {
    let Some((_, section)) = sections.section_by_name(endian, name.as_bytes()) else { return Ok(&[]) };
    if section.sh_size(endian) > SECTION {
        return Err(Damaged(format!("its section {name} has more than {SECTION} bytes")));
    }
    Ok(section.data(endian, data).unwrap_or_default())
}

/// Texts that end in NUL.
fn strings(bytes: &[u8]) -> impl Iterator<Item = String> {
    let texts = bytes.split(|byte| *byte == 0).filter(|text| !text.is_empty());
    texts.map(|text| String::from_utf8_lossy(text).into_owned())
}

/// Versions of imported symbols, from either of the two ways in which they are kept.
fn versions(little: bool, plain: &[u8], crcs: &[u8], names: &[u8]) -> BTreeMap<String, u32> {
    let crc = |bytes: &[u8]| {
        let bytes = bytes.get(..4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    // The CRC is the lower half of a long.
    let lower = if little { 0 } else { 4 };
    let plain = plain
        .chunks_exact(VERSION)
        .filter_map(|one| Some((strings(one.get(8..)?).next()?, crc(one.get(lower..)?)?)));
    let extended = strings(names).zip(crcs.chunks_exact(4).filter_map(crc));
    plain.chain(extended).collect()
}

/// The signature that is appended to a module.
fn signature<'d, R: ReadRef<'d>>(data: R) -> Result<Option<Signature>, Damaged> {
    let damaged = || Damaged("the signature at its end is damaged".to_owned());
    let mut end = data.len().map_err(|()| Damaged("it cannot be read".to_owned()))?;
    let mut last = |bytes: u64| {
        end = end.checked_sub(bytes)?;
        data.read_bytes_at(end, bytes).ok()
    };
    if last(SIGNED.len() as u64) != Some(SIGNED) {
        return Ok(None);
    }
    let Some(&[_, _, kind, signer, key, _, _, _, a, b, c, d]) = last(SIGNATURE_INFO) else {
        return Err(damaged());
    };
    let length = u64::from(u32::from_be_bytes([a, b, c, d]));
    if kind != PKCS7 || signer != 0 || key != 0 {
        return Err(Damaged("its signature is not PKCS#7, which is all that kernels take".to_owned()));
    }
    if length > SIGNATURE {
        return Err(Damaged(format!("its signature has more than {SIGNATURE} bytes")));
    }
    last(length).and_then(|message| pkcs7(message, end)).map(Some).ok_or_else(damaged)
}

/// Signer and hash of a PKCS#7 message.
fn pkcs7(message: &[u8], signed: u64) -> Option<Signature> {
    let content = ContentInfo::from_der(message).ok()?;
    let data = content.content.decode_as::<SignedData>().ok()?;
    let signer = data.signer_infos.0.iter().next()?;
    let name = match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(issuer) => common_name(&issuer.issuer.to_string()),
        SignerIdentifier::SubjectKeyIdentifier(key) => hex(key.0.as_bytes()),
    };
    // RFC 5754 and FIPS 202: the kernel's names of the hashes that sign-file may use.
    let hash = match signer.digest_alg.oid.to_string().as_str() {
        "1.3.14.3.2.26" => "sha1".to_owned(),
        "2.16.840.1.101.3.4.2.1" => "sha256".to_owned(),
        "2.16.840.1.101.3.4.2.2" => "sha384".to_owned(),
        "2.16.840.1.101.3.4.2.3" => "sha512".to_owned(),
        "2.16.840.1.101.3.4.2.4" => "sha224".to_owned(),
        "2.16.840.1.101.3.4.2.8" => "sha3-256".to_owned(),
        "2.16.840.1.101.3.4.2.9" => "sha3-384".to_owned(),
        "2.16.840.1.101.3.4.2.10" => "sha3-512".to_owned(),
        other => other.to_owned(),
    };
    Some(Signature { signer: name, hash, message: message.to_vec(), signed })
}

/// The common name in a distinguished name, or all of it.
fn common_name(name: &str) -> String {
    let parts = name.split(',').find_map(|part| part.trim().strip_prefix("CN="));
    parts.unwrap_or(name).to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
