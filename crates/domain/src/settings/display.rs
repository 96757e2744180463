//! What an app looks like, and where its pages are.

use serde_json::Value;

settings! {
    /// What the components show. A URL that is not given is made of the instance's own address.
    Display {
        /// Name of the app in headings; without one it is the application's.
        application_name: Option<String> = None,
        /// Where people write for help.
        support_email: Option<String> = None,
        /// Where they read about help.
        help_url: Option<String> = None,
        /// The terms.
        terms_url: Option<String> = None,
        /// What becomes of their data.
        privacy_policy_url: Option<String> = None,
        /// A picture above forms.
        logo_image_url: Option<String> = None,
        /// Where that picture leads.
        logo_link_url: Option<String> = None,
        /// A picture for tabs.
        favicon_image_url: Option<String> = None,
        /// The components say whose they are.
        branded: bool = false,
        /// The components say that this is no production.
        show_devmode_warning: bool = false,
        /// `password` or `otp`, where both would do.
        preferred_sign_in_strategy: Option<String> = None,
        /// Social providers come first.
        experimental_force_oauth_first: bool = false,
        /// Major version or tag of the script that pages load.
        clerk_js_version: Option<String> = None,
        /// Client of Google's One Tap.
        google_one_tap_client_id: Option<String> = None,
        /// Colours and fonts of hosted pages.
        theme: Theme = Theme::default(),
        /// Where pages are.
        urls: Urls = Urls::default(),
    }

    /// Colours and fonts of hosted pages.
    Theme {
        /// Of everything.
        general: GeneralTheme = GeneralTheme::default(),
        /// Of buttons.
        buttons: ButtonTheme = ButtonTheme::default(),
        /// Of the pages themselves.
        accounts: PageTheme = PageTheme::default(),
    }

    /// Colours and fonts of everything, in CSS.
    GeneralTheme {
        /// The main colour.
        color: String = "#6c47ff".to_owned(),
        /// Behind.
        background_color: String = "#ffffff".to_owned(),
        /// Font.
        font_family: String = "\"Source Sans Pro\", sans-serif".to_owned(),
        /// Of texts.
        font_color: String = "#151515".to_owned(),
        /// Of labels.
        label_font_weight: String = "600".to_owned(),
        /// Around content.
        padding: String = "1em".to_owned(),
        /// Of corners.
        border_radius: String = "0.5em".to_owned(),
        /// Below cards.
        box_shadow: String = "0 2px 8px rgba(0, 0, 0, 0.2)".to_owned(),
    }

    /// Fonts of buttons.
    ButtonTheme {
        /// Colour.
        font_color: String = "#ffffff".to_owned(),
        /// Font.
        font_family: String = "\"Source Sans Pro\", sans-serif".to_owned(),
        /// Weight.
        font_weight: String = "600".to_owned(),
    }

    /// Colours of hosted pages.
    PageTheme {
        /// Behind.
        background_color: String = "#ffffff".to_owned(),
    }

    /// Where an app's pages are. What is not given is a page of the server, or the app's start.
    Urls {
        /// The app's start.
        home: Option<String> = None,
        /// Sign-in.
        sign_in: Option<String> = None,
        /// Sign-up.
        sign_up: Option<String> = None,
        /// The user's profile.
        user_profile: Option<String> = None,
        /// The waitlist.
        waitlist: Option<String> = None,
        /// The question whether an OAuth client may.
        oauth_consent: Option<String> = None,
        /// An organization's profile.
        organization_profile: Option<String> = None,
        /// A new organization.
        create_organization: Option<String> = None,
        /// After a sign-in.
        after_sign_in: Option<String> = None,
        /// After a sign-up.
        after_sign_up: Option<String> = None,
        /// After one of several sessions ended.
        after_sign_out_one: Option<String> = None,
        /// After all sessions ended.
        after_sign_out_all: Option<String> = None,
        /// After another session was chosen.
        after_switch_session: Option<String> = None,
        /// After joining the waitlist.
        after_join_waitlist: Option<String> = None,
        /// After leaving an organization.
        after_leave_organization: Option<String> = None,
        /// After creating an organization.
        after_create_organization: Option<String> = None,
    }
}

impl Display {
    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        let strategy = self.preferred_sign_in_strategy.as_deref();
        super::rules(
            wrong,
            &[(
                matches!(strategy, None | Some("password" | "otp")),
                "display.preferred_sign_in_strategy must be password or otp",
            )],
        );
        let urls = serde_json::to_value(&self.urls).unwrap_or_default();
        let pages = [
            ("help_url", &self.help_url),
            ("terms_url", &self.terms_url),
            ("privacy_policy_url", &self.privacy_policy_url),
            ("logo_link_url", &self.logo_link_url),
        ];
        let pages =
            pages.iter().filter_map(|(name, url)| Some(((*name).to_owned(), url.as_ref()?)));
        let named = urls.as_object().into_iter().flatten();
        let named = named.filter_map(|(name, url)| match url {
            Value::String(url) => Some((format!("urls.{name}"), url)),
            _ => None,
        });
        for (name, url) in pages.chain(named) {
            if !is_page(url) {
                wrong.push(format!("display.{name} must be an http or https URL"));
            }
        }
    }
}

/// True for what a link may lead to: a script it may not.
fn is_page(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
