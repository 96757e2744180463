//! Rows of the allowlist and the blocklist, which differ in name alone.

use db::{Column as _, Record};
use macros::Record;
use wire::{
    Page, Paging, Timestamp,
    backend::{allowlist_identifiers::IdentifierType, invitations::InvitationId},
    refusal,
};

use crate::{
    Cx, Result, error,
    error::OnTaken as _,
    identifications::{self, IdentificationKind},
    text,
};

/// Characters of an identifier.
const CHARS_MAX: usize = 320;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Those who may come in.
    Allow,
    /// Those who may not.
    Block,
}

impl List {
    /// Its name in the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allowlist",
            Self::Block => "blocklist",
        }
    }

    /// Counts its identifiers.
    fn counter(self) -> &'static str {
        match self {
            Self::Allow => "allowlist_identifiers",
            Self::Block => "blocklist_identifiers",
        }
    }
}

/// Part of a list, newest first.
pub(crate) async fn page(cx: &mut Cx, list: List, paging: Paging) -> Result<Page<ListedRow>> {
    let total_count = cx.tx.counter(list.counter()).await?;
    let rows = ListedRow::select(&cx.tx)
        .filter("list = ?", [list.as_str().to_owned().to_value()])
        .order("position desc");
    Ok(Page { data: rows.part(&mut cx.tx, paging).await?, total_count })
}

/// A row to be, its identifier in the one way to write it.
pub(crate) fn new(cx: &Cx, list: List, id: String, identifier: &str) -> Result<ListedRow> {
    text::at_most("identifier", identifier, CHARS_MAX)?;
    let (identifier, identifier_type) = normalize(identifier).ok_or_else(|| {
        let reason = "identifier must be an email address, a domain as in *@example.com, \
                      a phone number or a web3 wallet.";
        refusal::form_param_format_invalid().because(reason).param("identifier")
    })?;
    let dotless = identifications::dotless(&identifier);
    Ok(ListedRow {
        id,
        instance_id: cx.instance_id(),
        position: cx.position(cx.now),
        list: list.as_str().to_owned(),
        dotless: dotless.unwrap_or_else(|| identifier.clone()),
        identifier,
        identifier_type: identifier_type.to_string(),
        invitation_id: None,
        created_at: cx.now,
        updated_at: cx.now,
    })
}

/// Adds a row; an identifier is on a list once.
pub(crate) async fn add(cx: &mut Cx, list: List, row: &ListedRow) -> Result<()> {
    row.insert(&mut cx.tx).await.taken("identifier", || {
        let reason = format!("{} is on the {} already.", row.identifier, list.as_str());
        refusal::duplicate_record().because(reason).param("identifier")
    })?;
    Ok(cx.tx.add(list.counter(), 1).await?)
}

/// Takes an identifier off a list.
pub(crate) async fn remove(cx: &mut Cx, list: List, id: &str) -> Result<()> {
    let row = ListedRow::find(&mut cx.tx, &id.to_owned()).await?;
    let row = row
        .filter(|row| row.list == list.as_str())
        .ok_or_else(|| error::not_found(&format!("{} identifier", list.as_str()), id))?;
    row.delete(&mut cx.tx).await?;
    Ok(cx.tx.add(list.counter(), -1).await?)
}

/// A row of the table.
#[derive(Clone, Debug, Record)]
#[record(table = "listed_identifiers")]
pub(crate) struct ListedRow {
    pub(crate) id: String,
    pub(crate) instance_id: String,
    pub(crate) position: i64,
    pub(crate) list: String,
    pub(crate) identifier: String,
    pub(crate) dotless: String,
    pub(crate) identifier_type: String,
    pub(crate) invitation_id: Option<InvitationId>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl ListedRow {
    /// True for the address of one person.
    pub(crate) fn is_address(&self) -> bool {
        self.identifier_type == IdentifierType::EmailAddress.as_str()
            && !self.identifier.starts_with('*')
    }
}

/// The one way to write an identifier, and what it is.
fn normalize(text: &str) -> Option<(String, IdentifierType)> {
    let text = text.trim_matches(' ');
    let normal = |kind: IdentificationKind| kind.normalize(text).ok();
    if let Some(domain) = text.strip_prefix("*@") {
        let (stars, domain) = match domain.strip_prefix("*.") {
            Some(domain) => ("*@*.", domain),
            None => ("*@", domain),
        };
        let domain = identifications::domain(domain)?;
        return Some((format!("{stars}{domain}"), IdentifierType::EmailAddress));
    }
    if text.contains('@') {
        return Some((normal(IdentificationKind::EmailAddress)?, IdentifierType::EmailAddress));
    }
    if text.starts_with('+') {
        return Some((normal(IdentificationKind::PhoneNumber)?, IdentifierType::PhoneNumber));
    }
    Some((normal(IdentificationKind::Web3Wallet)?, IdentifierType::Web3Wallet))
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn otp_19_identifiers_have_one_spelling_or_none() {
        let cases = [
            (" Ada@Example.COM ", Some("ada@example.com")),
            ("*@Example.com", Some("*@example.com")),
            ("*@*.Example.com", Some("*@*.example.com")),
            ("*@BÜCHER.example", Some("*@xn--bcher-kva.example")),
            ("+1 (201) 555-0123", Some("+12015550123")),
            ("*@*.*.example.com", None),
            ("*@", None),
            ("*@*.", None),
            ("*@localhost", None),
            ("*@exa mple.com", None),
            ("*@a@b.com", None),
            ("ada*@example.com@", None),
            ("*", None),
            ("example.com", None),
            ("@example.com", None),
            ("", None),
            ("+", None),
        ];
        for (text, expected) in cases {
            let normal = normalize(text).map(|(normal, _)| normal);
            assert_eq!(normal.as_deref(), expected, "{text}");
        }
    }
}
