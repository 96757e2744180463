//! What a session may do.

use proptest::prelude::*;
use serde_json::{Value, json};
use vestry_sdk::claims::{Check, Claims, Level, Reverification};

fn claims(value: Value) -> Claims {
    serde_json::from_value(value).expect("claims")
}

fn second(features: &str, names: &str, maps: &str) -> Claims {
    claims(json!({
        "v": 2, "sub": "user_1", "sid": "sess_1", "fva": [12, -1], "sts": "active",
        "pla": "o:pro,u:free", "fea": features,
        "o": { "id": "org_1", "slg": "acme", "rol": "admin", "per": names, "fpm": maps }
    }))
}

fn permissions(features: &str, names: &str, maps: &str) -> Vec<String> {
    second(features, names, maps).organization().expect("an organization").permissions
}

#[test]
fn permissions_are_decoded_from_their_maps() {
    assert_eq!(
        permissions("o:articles,o:billing,u:support", "read,manage", "3,2"),
        ["org:articles:read", "org:articles:manage", "org:billing:manage"]
    );
    assert_eq!(
        permissions("u:support,uo:articles,o:billing", "read,manage", "1,2"),
        ["org:articles:read", "org:billing:manage"]
    );
    let names: Vec<String> = (0..130).map(|n| format!("p{n}")).collect();
    // Two to the 129th, and one.
    let huge = "680564733841876926926749214863536422913";
    assert_eq!(permissions("o:a", &names.join(","), huge), ["org:a:p0", "org:a:p129"]);
}

#[test]
fn the_first_version_has_an_organization_too() {
    let claims = claims(json!({
        "sub": "user_1", "org_id": "org_1", "org_role": "admin", "org_slug": "acme",
        "org_permissions": ["org:posts:create"], "o": { "id": "org_2", "rol": "member" }
    }));
    let organization = claims.organization().expect("an organization");
    assert_eq!(
        (organization.id.as_str(), organization.role.as_deref()),
        ("org_1", Some("org:admin"))
    );
    for role in ["admin", "org:admin"] {
        assert!(claims.has(&Check { role: Some(role.into()), ..Check::default() }));
    }
    for permission in ["posts:create", "org:posts:create"] {
        assert!(claims.has(&Check { permission: Some(permission.into()), ..Check::default() }));
    }
}

#[test]
fn the_second_version_does_not_read_the_claims_of_the_first() {
    let claims = claims(json!({ "v": 2, "sub": "user_1", "org_id": "org_1", "org_role": "admin" }));
    assert_eq!(claims.organization(), None);
    assert!(!claims.has(&Check { role: Some("admin".into()), ..Check::default() }));
}

#[test]
fn jwt_14_maps_that_do_not_fit_grant_nothing() {
    for (features, names, maps) in [
        ("o:a", "read", "4"),
        ("o:a", "read", "-1"),
        ("o:a", "read", "1e30"),
        ("o:a", "read", "0x1"),
        ("o:a", "read", "1.0"),
        ("o:a", "read", ""),
        ("o:a", "", "1"),
        ("o:a", ",", "3"),
        ("", "read", "1,1"),
        ("u:a", "read", "1"),
        ("a", "read", "1"),
    ] {
        assert!(permissions(features, names, maps).is_empty(), "{features} {names} {maps}");
    }
    assert_eq!(permissions("o:a,o:b", "read", "1"), ["org:a:read"], "fewer maps than features");
    assert_eq!(permissions("o:a", "read", "1,1,1"), ["org:a:read"], "more maps than features");
    for map in [json!(3), json!(1e30), json!(null), json!(["1"])] {
        let claims = claims(json!({
            "v": 2, "sub": "user_1", "fea": "o:a", "o": { "id": "org_1", "per": "read", "fpm": map }
        }));
        assert!(claims.organization().expect("an organization").permissions.is_empty());
    }
}

/// Parts of a check, each as one that holds and one that fails.
fn parts() -> [(Check, Check); 5] {
    let some = |text: &str| Some(text.to_owned());
    let none = Check::default;
    [
        (Check { role: some("org:admin"), ..none() }, Check { role: some("member"), ..none() }),
        (
            Check { permission: some("org:articles:read"), ..none() },
            Check { permission: some("org:articles:manage"), ..none() },
        ),
        (Check { feature: some("articles"), ..none() }, Check { feature: some("x"), ..none() }),
        (Check { plan: some("org:pro"), ..none() }, Check { plan: some("user:pro"), ..none() }),
        (
            Check { reverification: Some(Reverification::MODERATE), ..none() },
            Check { reverification: Some(Reverification::STRICT), ..none() },
        ),
    ]
}

fn joined(parts: impl Iterator<Item = Check>) -> Check {
    parts.fold(Check::default(), |all, one| Check {
        role: all.role.or(one.role),
        permission: all.permission.or(one.permission),
        feature: all.feature.or(one.feature),
        plan: all.plan.or(one.plan),
        reverification: all.reverification.or(one.reverification),
        allow_pending: false,
    })
}

/// JWT-15: each of the five parts is absent, holds or fails; all 243 combinations.
#[test]
fn jwt_15_everything_asked_for_must_hold() {
    let claims = second("o:articles,o:billing,u:support", "read,manage", "1,2");
    for number in 0..3_usize.pow(5) {
        let digits: Vec<usize> = (0..5).map(|at| number / 3_usize.pow(at) % 3).collect();
        let chosen =
            parts().into_iter().zip(&digits).filter_map(|((holds, fails), digit)| match digit {
                0 => None,
                1 => Some(holds),
                _ => Some(fails),
            });
        let expected = digits.contains(&1) && !digits.contains(&2);
        assert_eq!(claims.has(&joined(chosen)), expected, "{digits:?}");
    }
}

#[test]
fn jwt_15_empty_and_unknown_questions_are_denied() {
    let claims = second("o:articles", "read", "1");
    let some = |text: &str| Some(text.to_owned());
    for check in [
        Check::default(),
        Check { role: some(""), ..Check::default() },
        Check { role: some("org:"), ..Check::default() },
        Check { permission: some(""), ..Check::default() },
        Check { feature: some(""), ..Check::default() },
        Check { feature: some("org:"), ..Check::default() },
        Check { feature: some("team:articles"), ..Check::default() },
        Check { plan: some(""), ..Check::default() },
    ] {
        assert!(!claims.has(&check), "{check:?}");
    }
    assert!(!Claims { sub: String::new(), ..claims }.has(&parts()[0].0), "nobody has nothing");
}

#[test]
fn scopes_of_features_and_plans() {
    let claims = second("uo:both,u:mine,o:ours", "", "");
    for (feature, expected) in [
        ("both", true),
        ("user:both", true),
        ("org:both", true),
        ("u:mine", true),
        ("user:mine", true),
        ("org:mine", false),
        ("o:ours", true),
        ("organization:ours", true),
        ("u:ours", false),
        ("other", false),
    ] {
        let check = Check { feature: Some(feature.into()), ..Check::default() };
        assert_eq!(claims.has(&check), expected, "{feature}");
    }
}

#[test]
fn reverification_looks_at_the_right_factor() {
    let holds = |ages: Value, after_minutes: i64, level: Level| {
        let claims = claims(json!({ "sub": "user_1", "fva": ages }));
        let reverification = Some(Reverification { after_minutes, level });
        claims.has(&Check { reverification, ..Check::default() })
    };
    for (ages, level, expected) in [
        (json!([5, 5]), Level::FirstFactor, true),
        (json!([9, -1]), Level::FirstFactor, true),
        (json!([10, 0]), Level::FirstFactor, false),
        (json!([-1, 0]), Level::FirstFactor, false),
        (json!([99, 5]), Level::SecondFactor, true),
        (json!([5, 99]), Level::SecondFactor, false),
        (json!([5, -1]), Level::SecondFactor, true),
        (json!([99, -1]), Level::SecondFactor, false),
        (json!([5, 5]), Level::MultiFactor, true),
        (json!([99, 5]), Level::MultiFactor, false),
        (json!([5, 99]), Level::MultiFactor, false),
        (json!([5, -1]), Level::MultiFactor, true),
        (json!([-1, -1]), Level::MultiFactor, false),
        (json!([-1, -1]), Level::SecondFactor, false),
        (json!([-5, -5]), Level::SecondFactor, false),
        (json!(null), Level::FirstFactor, false),
        (json!([5]), Level::FirstFactor, false),
        (json!("5,5"), Level::FirstFactor, false),
    ] {
        assert_eq!(holds(ages.clone(), 10, level), expected, "{ages} {level:?}");
    }
}

proptest! {
    #[test]
    fn no_map_makes_decoding_panic(
        features in "[ou:,a-c]{0,20}", names in "[a-c,]{0,20}", maps in "[0-9,eE.+-]{0,40}",
    ) {
        let found = permissions(&features, &names, &maps);
        prop_assert!(found.iter().all(|each| each.starts_with("org:")));
    }
}
