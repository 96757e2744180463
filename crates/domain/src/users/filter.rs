//! Lists of users: filters, orders, search.

use db::{Column as _, Record as _, Select, Value};
use wire::{
    Count, Paging, Timestamp,
    backend::users::{GetUserList, GetUsersCount, User},
    refusal,
};

use super::{COUNTER, SEARCH, UserRow, view};
use crate::{
    Cx, Outside, Result,
    identifications::{self, IdentificationKind},
    order::{Orders, by},
    text,
};

/// Values of one filter.
const VALUES_MAX: usize = 100;

const ORDERS: Orders = Orders(&[
    ("created_at", "position asc", "position desc"),
    ("updated_at", "updated_at asc, position asc", "updated_at desc, position desc"),
    ("first_name", by!("first_name", "''", "asc"), by!("first_name", "''", "desc")),
    ("last_name", by!("last_name", "''", "asc"), by!("last_name", "''", "desc")),
    ("username", by!("username", "''", "asc"), by!("username", "''", "desc")),
    (
        "email_address",
        by!("primary_email_address", "''", "asc"),
        by!("primary_email_address", "''", "desc"),
    ),
    (
        "phone_number",
        by!("primary_phone_number", "''", "asc"),
        by!("primary_phone_number", "''", "desc"),
    ),
    (
        "web3wallet",
        by!("primary_web3_wallet", "''", "asc"),
        by!("primary_web3_wallet", "''", "desc"),
    ),
    ("last_active_at", by!("last_active_at", 0, "asc"), by!("last_active_at", 0, "desc")),
    ("last_sign_in_at", by!("last_sign_in_at", 0, "asc"), by!("last_sign_in_at", 0, "desc")),
]);

/// Whoever never was has no last time, and so not one before.
const BEFORE_ACTIVE: &str = "coalesce(last_active_at, 0) > 0 and coalesce(last_active_at, 0) < ?";
const BEFORE_SIGN_IN: &str =
    "coalesce(last_sign_in_at, 0) > 0 and coalesce(last_sign_in_at, 0) < ?";

/// Rows that are skipped without much ado; more of them are a walk.
const OFFSET_SMALL: u32 = 1000;

/// List users, newest first.
pub async fn list(outside: &Outside, request: GetUserList) -> Result<Vec<User>> {
    let filters = Filters::from(request.clone());
    // What an index finds at once need not queue behind what has to be walked.
    if walks(&filters) || request.offset.is_some_and(|offset| offset > OFFSET_SMALL) {
        outside.scan(listed, request).await
    } else {
        outside.read(listed, request).await
    }
}

/// True if the filters leave no choice but to look at many users.
fn walks(filters: &Filters) -> bool {
    let texts = [
        &filters.query,
        &filters.email_address_query,
        &filters.phone_number_query,
        &filters.username_query,
        &filters.name_query,
    ];
    let times = [
        filters.last_active_at_before,
        filters.last_active_at_after,
        filters.last_active_at_since,
        filters.created_at_before,
        filters.created_at_after,
        filters.last_sign_in_at_before,
        filters.last_sign_in_at_after,
    ];
    filters.banned.is_some()
        || texts.iter().any(|text| text.is_some())
        || times.iter().any(Option::is_some)
}

async fn listed(cx: &mut Cx, request: GetUserList) -> Result<Vec<User>> {
    let paging = Paging::new(request.limit, request.offset);
    let order = ORDERS.find(request.order_by.as_deref())?;
    let after = request.starting_after.clone();
    let mut users = matching(cx, &request.into())?;
    if let Some(id) = after {
        if paging.offset > 0 || !order.starts_with("position") {
            let reason = "starting_after needs the order created_at and no offset.";
            let refusal = refusal::form_conditional_param_disallowed();
            return Err(refusal.because(reason).param("starting_after").into());
        }
        let last = UserRow::find(&mut cx.tx, &id)
            .await?
            .ok_or_else(|| refusal::form_resource_not_found().param("starting_after"))?;
        let further = if order.ends_with("asc") { "position > ?" } else { "position < ?" };
        users = users.filter(further, [Value::Int(last.position)]);
    }
    let rows = users.order(order).part(&mut cx.tx, paging).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
    let all = if ids.is_empty() {
        Vec::new()
    } else {
        identifications::of_users(cx, &ids).all(&mut cx.tx).await?
    };
    let of_user = |row: &UserRow| {
        let start = all.partition_point(|other| other.user_id.as_str() < row.id.as_str());
        let rest = &all[start..];
        let end = rest.partition_point(|other| other.user_id == row.id);
        view(cx, row, &rest[..end])
    };
    Ok(rows.iter().map(of_user).collect())
}

/// Count users.
pub(super) async fn count(outside: &Outside, filters: GetUsersCount) -> Result<Count> {
    if walks(&filters) {
        outside.scan(counted, filters).await
    } else {
        outside.read(counted, filters).await
    }
}

async fn counted(cx: &mut Cx, filters: GetUsersCount) -> Result<Count> {
    let free = Filters { banned: Some(false), ..Filters::new() };
    let total = if filters == Filters::new() {
        cx.tx.counter(COUNTER).await?
    } else if filters == free {
        // The banned are few and have an index; all the others need not be looked at.
        let banned = UserRow::select(&cx.tx).filter("banned", []).count(&mut cx.tx).await?;
        cx.tx.counter(COUNTER).await?.saturating_sub(banned)
    } else {
        matching(cx, &filters)?.count(&mut cx.tx).await?
    };
    Ok(Count::new(total))
}

/// The filters of both operations are the parameters of the one that has nothing else.
type Filters = GetUsersCount;

/// All filters at once; the values of one filter are alternatives.
fn matching(cx: &Cx, filters: &Filters) -> Result<Select<UserRow>> {
    let texts = [
        ("query", &filters.query),
        ("email_address_query", &filters.email_address_query),
        ("phone_number_query", &filters.phone_number_query),
        ("username_query", &filters.username_query),
        ("name_query", &filters.name_query),
    ];
    for (name, searched) in texts {
        text::at_most(name, searched.as_deref().unwrap_or_default(), text::NAME_CHARS_MAX)?;
    }
    let mut users = UserRow::select(&cx.tx);
    users = included(users, "id", "user_id", &filters.user_id)?;
    users = included(users, "external_id", "external_id", &filters.external_id)?;
    let usernames = at_most(&filters.username, "username")?;
    let usernames: Vec<_> = usernames.iter().map(|name| name.to_lowercase()).collect();
    users = users.filter_in("username", &usernames);
    let identified = [
        (IdentificationKind::EmailAddress, &filters.email_address),
        (IdentificationKind::PhoneNumber, &filters.phone_number),
        (IdentificationKind::Web3Wallet, &filters.web3_wallet),
    ];
    for (kind, values) in identified {
        users = known_by(cx, users, kind, at_most(values, kind.as_str())?);
    }
    users = by_provider(cx, users, filters)?;
    let organizations = at_most(&filters.organization_id, "organization_id")?;
    if organizations.iter().any(|id| !id.starts_with('-')) {
        // There are no organizations yet, so nobody is in any of them.
        users = users.filter("1 = 0", []);
    }
    users = searched(cx, users, filters);
    if let Some(banned) = filters.banned {
        users = users.filter(if banned { "banned" } else { "not banned" }, []);
    }
    let times = [
        ("position < ?", filters.created_at_before.map(position)),
        ("position >= ?", filters.created_at_after.map(|after| position(Timestamp(after.0 + 1)))),
        (BEFORE_ACTIVE, filters.last_active_at_before.map(|time| time.0)),
        ("coalesce(last_active_at, 0) > ?", filters.last_active_at_after.map(|time| time.0)),
        ("coalesce(last_active_at, 0) >= ?", filters.last_active_at_since.map(|time| time.0)),
        (BEFORE_SIGN_IN, filters.last_sign_in_at_before.map(|time| time.0)),
        ("coalesce(last_sign_in_at, 0) > ?", filters.last_sign_in_at_after.map(|time| time.0)),
    ];
    for (condition, time) in times {
        if let Some(time) = time {
            users = users.filter(condition, [Value::Int(time)]);
        }
    }
    Ok(users)
}

/// The first position that rows made at `time` can have.
fn position(time: Timestamp) -> i64 {
    time.0.saturating_mul(1 << 20)
}

fn at_most<'v>(values: &'v [String], name: &str) -> Result<&'v [String]> {
    if values.len() > VALUES_MAX {
        let reason = format!("{name} takes at most {VALUES_MAX} values.");
        return Err(refusal::form_param_array_size_exceeded().because(reason).param(name).into());
    }
    Ok(values)
}

/// `+id` or `id` includes, `-id` excludes. A `+` that was not encoded arrives as a space.
fn included(
    users: Select<UserRow>,
    column: &str,
    name: &str,
    values: &[String],
) -> Result<Select<UserRow>> {
    let values = at_most(values, name)?;
    let strip = |value: &String| value.strip_prefix(['+', ' ']).unwrap_or(value).to_owned();
    let within: Vec<_> = values.iter().filter(|id| !id.starts_with('-')).map(strip).collect();
    let without: Vec<_> = values.iter().filter_map(|id| id.strip_prefix('-')).collect();
    let mut users = users.filter_in(column, &within);
    for value in without {
        let condition = format!("({column} is null or {column} <> ?)");
        users = users.filter(&condition, [value.to_owned().to_value()]);
    }
    Ok(users)
}

fn known_by(
    cx: &Cx,
    users: Select<UserRow>,
    kind: IdentificationKind,
    values: &[String],
) -> Select<UserRow> {
    if values.is_empty() {
        return users;
    }
    // A value that cannot be one is nobody's.
    let normal = values.iter().filter_map(|value| kind.normalize(value).ok());
    let mut bound = vec![Value::Text(cx.instance_id()), kind.as_str().to_owned().to_value()];
    let first = bound.len();
    bound.extend(normal.map(|value| value.to_value()));
    if bound.len() == first {
        return users.filter("1 = 0", []);
    }
    let marks = vec!["?"; bound.len() - first].join(", ");
    let condition = format!(
        "id in (select user_id from identifications where instance_id = ? and kind = ? \
         and value in ({marks}))"
    );
    users.filter(&condition, bound)
}

fn by_provider(cx: &Cx, users: Select<UserRow>, filters: &Filters) -> Result<Select<UserRow>> {
    let provider = match (&filters.provider, filters.provider_user_id.as_slice()) {
        (None, []) => return Ok(users),
        (Some(provider), [_, ..]) => provider,
        (None, _) => {
            return Err(refusal::form_conditional_param_missing().param("provider").into());
        }
        (Some(_), []) => {
            return Err(refusal::form_conditional_param_missing().param("provider_user_id").into());
        }
    };
    let ids = at_most(&filters.provider_user_id, "provider_user_id")?;
    let provider = provider.strip_prefix("oauth_").unwrap_or(provider);
    let values: Vec<_> = ids.iter().map(|id| format!("oauth_{provider}:{id}")).collect();
    Ok(known_by(cx, users, IdentificationKind::ExternalAccount, &values))
}

/// All texts at once. One of them narrows the users by the search index, which has no place for
/// two; the others are conditions on what is left.
fn searched(cx: &Cx, mut users: Select<UserRow>, filters: &Filters) -> Select<UserRow> {
    let needle = |text: &Option<String>| {
        text.as_ref().map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty())
    };
    let query = needle(&filters.query);
    let columns = [
        (needle(&filters.username_query), "coalesce(username, '')"),
        (needle(&filters.name_query), "name_key"),
    ];
    let kinds = [
        (needle(&filters.email_address_query), IdentificationKind::EmailAddress),
        (needle(&filters.phone_number_query), IdentificationKind::PhoneNumber),
    ];
    let special = columns.iter().map(|column| &column.0).chain(kinds.iter().map(|kind| &kind.0));
    // The longest is in the fewest texts. What `query` asks is in the index alone.
    let longest = special.flatten().max_by_key(|text| text.chars().count());
    if let Some(text) = query.as_ref().or(longest) {
        users = users.matching(SEARCH, "position", text);
    }
    for (text, column) in &columns {
        if let Some(text) = text {
            let condition = format!(r"{column} like ? escape '\'");
            users = users.filter(&condition, [db::contains(text)]);
        }
    }
    for (text, kind) in &kinds {
        if let Some(text) = text {
            let condition = r"exists (select 1 from identifications i
                where i.instance_id = ? and i.user_id = users.id and i.kind = ?
                and i.value like ? escape '\')";
            let instance = Value::Text(cx.instance_id());
            let kind = kind.as_str().to_owned().to_value();
            users = users.filter(condition, [instance, kind, db::contains(text)]);
        }
    }
    users
}
