//! Authenticator apps and backup codes of users.

use db::Value;
use serde::{Deserialize, Serialize};
use wire::{
    backend::users::{
        CodeType, DeleteBackupCode, DeleteTotp, DisableMfa, OfUser, UserId, Verified, VerifyTotp,
    },
    refusal,
};

use crate::{
    Cx, Error, Outside, Place, Result,
    identifications::IdentificationKind,
    totp::{BackupCodes, Secret},
    users::{self, UserRow},
};

/// Backup codes of one user.
const BACKUP_CODES_MAX: usize = 32;

/// What is stored of a user's backup codes.
#[derive(Clone, Serialize, Deserialize)]
struct StoredCodes {
    /// The key of their digests, sealed: without it, no list of likely codes finds one.
    key: String,
    /// Those that are left.
    codes: Vec<String>,
}

/// The secret of an authenticator app, sealed for its user.
pub(crate) fn seal_totp(outside: &Outside, user_id: &UserId, secret: &str) -> Result<String> {
    let secret = Secret::parse(secret).map_err(|_| {
        let reason = "totp_secret must be written in base 32.";
        refusal::invalid_totp_secret_code().because(reason).param("totp_secret")
    })?;
    let place = place(outside, user_id, "totp_secret");
    Ok(outside.world.sealer.seal(&place, secret.to_base32().as_bytes())?)
}

/// What to store of backup codes, plain ones or bcrypt digests; nothing if there are none.
pub(crate) fn import_backup_codes(
    outside: &Outside,
    user_id: &UserId,
    codes: &[String],
) -> Result<Option<String>> {
    if codes.is_empty() {
        return Ok(None);
    }
    if codes.len() > BACKUP_CODES_MAX {
        let reason = format!("backup_codes takes at most {BACKUP_CODES_MAX} codes.");
        let refusal = refusal::form_param_array_size_exceeded();
        return Err(refusal.because(reason).param("backup_codes").into());
    }
    let mut key = [0; 32];
    for half in key.chunks_exact_mut(16) {
        half.copy_from_slice(&(outside.world.seeds.rng)().to_be_bytes());
    }
    let digests = BackupCodes::new(&key, user_id.as_str());
    let codes = codes.iter().map(|code| digests.store(code)).collect::<std::result::Result<_, _>>();
    let codes = codes.map_err(|invalid| {
        let reason = format!("backup_codes holds what is {invalid}.");
        refusal::form_param_format_invalid().because(reason).param("backup_codes")
    })?;
    let key = outside.world.sealer.seal(&place(outside, user_id, "backup_codes"), &key)?;
    Ok(Some(serde_json::to_string(&StoredCodes { key, codes })?))
}

/// Check a TOTP code, or use up a backup code.
pub(crate) async fn verify(outside: &Outside, request: VerifyTotp) -> Result<Verified> {
    let VerifyTotp { user_id, code } = request;
    let row = outside.read(find, user_id).await?;
    if row.totp_secret.is_none() && row.backup_codes.is_none() {
        let reason = "TOTP is not set up for this user.";
        return Err(refusal::totp_disabled().because(reason).into());
    }
    let code_type = if is_totp(outside, &row, &code).await? {
        CodeType::Totp
    } else if is_backup_code(outside, &row, &code).await? {
        CodeType::BackupCode
    } else {
        return Err(wrong(&code));
    };
    Ok(Verified { verified: true, code_type: Some(code_type) })
}

fn wrong(code: &str) -> Error {
    let refusal = if has_form_of_totp(code) {
        refusal::totp_incorrect_code()
    } else {
        refusal::totp_invalid_length().because("A TOTP code has 6 digits.")
    };
    refusal.param("code").into()
}

fn has_form_of_totp(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for the code of a step that no code was taken of before.
pub(crate) async fn is_totp(outside: &Outside, row: &UserRow, code: &str) -> Result<bool> {
    let Some(sealed) = row.totp_secret.as_deref().filter(|_| has_form_of_totp(code)) else {
        return Ok(false);
    };
    let text = outside.world.sealer.open(&place(outside, &row.id, "totp_secret"), sealed)?;
    let secret = std::str::from_utf8(&text).ok().and_then(|text| Secret::parse(text).ok());
    let secret = secret.ok_or_else(|| Error::Broken("a stored TOTP secret is none".into()))?;
    let last = row.totp_used_step.and_then(|step| u64::try_from(step).ok());
    let seconds = u64::try_from(outside.now.0 / 1000).unwrap_or_default();
    match secret.verify(code, seconds, last) {
        Some(step) => {
            let step = i64::try_from(step).unwrap_or(i64::MAX);
            outside.write(spend_step, (row.id.clone(), sealed.to_owned(), step)).await
        }
        None => Ok(false),
    }
}

/// Marks a step as used, and with it all before it; false if somebody was faster.
async fn spend_step(cx: &mut Cx, (id, sealed, step): (UserId, String, i64)) -> Result<bool> {
    let row = users::find(cx, &id).await?;
    let Some(stored) = row.totp_secret else { return Ok(false) };
    // It may be under another root key by now, and still be the same one.
    if stored != sealed {
        let (instance, row) = (cx.instance.id.as_str(), id.as_str());
        let place = Place { instance, table: "users", row, column: "totp_secret" };
        let open = |sealed: &str| cx.world.sealer.open(&place, sealed);
        if open(&stored)? != open(&sealed)? {
            return Ok(false);
        }
    }
    let sql = "update users set totp_used_step = $1
               where instance_id = $2 and id = $3 and totp_secret = $4
                 and (totp_used_step is null or totp_used_step < $1) returning id";
    let [instance, id, sealed] = [cx.instance_id(), id.to_string(), stored].map(Value::Text);
    let rows = cx.tx.rows(sql, vec![Value::Int(step), instance, id, sealed]).await?;
    Ok(!rows.is_empty())
}

/// True for a backup code that was not used before.
pub(crate) async fn is_backup_code(outside: &Outside, row: &UserRow, code: &str) -> Result<bool> {
    let Some(stored) = row.backup_codes.as_deref() else {
        return Ok(false);
    };
    let StoredCodes { key, codes } = serde_json::from_str(stored)?;
    let key = outside.world.sealer.open(&place(outside, &row.id, "backup_codes"), &key)?;
    let key = <[u8; 32]>::try_from(key)
        .map_err(|_| Error::Broken("a stored key of backup codes is none".into()))?;
    let (user_id, code) = (row.id.clone(), code.to_owned());
    // Imported codes may be bcrypt.
    let found = outside.world.hasher.run(move |_| {
        let index = BackupCodes::new(&key, user_id.as_str()).find(&code, &codes)?;
        codes.into_iter().nth(index)
    });
    match found.await? {
        Some(digest) => outside.write(spend_code, (row.id.clone(), digest)).await,
        None => Ok(false),
    }
}

/// Takes a code away, by what is stored of it; false if somebody was faster.
async fn spend_code(cx: &mut Cx, (id, stored_as): (UserId, String)) -> Result<bool> {
    let (mut row, identifications) = users::load(cx, &id).await?;
    let Some(stored) = &row.backup_codes else {
        return Ok(false);
    };
    let mut stored: StoredCodes = serde_json::from_str(stored)?;
    let Some(index) = stored.codes.iter().position(|one| *one == stored_as) else {
        return Ok(false);
    };
    stored.codes.remove(index);
    row.backup_codes =
        if stored.codes.is_empty() { None } else { Some(serde_json::to_string(&stored)?) };
    users::save(cx, &mut row, &identifications).await?;
    Ok(true)
}

/// Take all second factors away.
pub(crate) async fn disable(cx: &mut Cx, request: DisableMfa) -> Result<OfUser> {
    let (mut row, mut identifications) = users::load(cx, &request.user_id).await?;
    let mut changed = row.totp_secret.is_some() || row.backup_codes.is_some();
    (row.totp_secret, row.totp_used_step, row.backup_codes) = (None, None, None);
    for phone in identifications.iter_mut().filter(|row| row.reserved_for_second_factor) {
        (phone.reserved_for_second_factor, phone.default_second_factor) = (false, false);
        phone.save(cx, IdentificationKind::PhoneNumber).await?;
        changed = true;
    }
    if changed {
        users::save(cx, &mut row, &identifications).await?;
    }
    Ok(OfUser { user_id: row.id })
}

/// Take a user's backup codes away.
pub(crate) async fn delete_backup_codes(cx: &mut Cx, request: DeleteBackupCode) -> Result<OfUser> {
    let (mut row, identifications) = users::load(cx, &request.user_id).await?;
    if row.backup_codes.take().is_some() {
        users::save(cx, &mut row, &identifications).await?;
    }
    Ok(OfUser { user_id: row.id })
}

/// Take a user's authenticator app away.
pub(crate) async fn delete_totp(cx: &mut Cx, request: DeleteTotp) -> Result<OfUser> {
    let (mut row, identifications) = users::load(cx, &request.user_id).await?;
    row.totp_used_step = None;
    if row.totp_secret.take().is_some() {
        users::save(cx, &mut row, &identifications).await?;
    }
    Ok(OfUser { user_id: row.id })
}

async fn find(cx: &mut Cx, id: UserId) -> Result<UserRow> {
    users::find(cx, &id).await
}

fn place<'a>(outside: &'a Outside, user_id: &'a UserId, column: &'static str) -> Place<'a> {
    let instance = outside.instance.id.as_str();
    Place { instance, table: "users", row: user_id.as_str(), column }
}
