//! What apps put into their environment, framework by framework.

/// How an app reaches an instance.
pub struct Access {
    /// `pk_…`
    pub publishable_key: String,
    /// `sk_…`
    pub secret_key: String,
    /// Where servers reach the Backend API.
    pub api_url: String,
    /// Where browsers reach the Frontend API.
    pub frontend_api_url: String,
}

/// A framework that the official SDKs are made for.
pub struct Framework {
    /// Its name.
    pub name: &'static str,
    /// The file that takes its variables.
    pub file: &'static str,
    /// What stands before the names of variables that browsers see.
    prefix: &'static str,
    /// The same of variables with the addresses of scripts.
    script_prefix: &'static str,
    /// The same of variables that servers alone see.
    server_prefix: &'static str,
    /// Its server calls the Backend API.
    has_server: bool,
    /// What variables cannot say.
    pub note: &'static str,
}

/// The frameworks, the commonest first.
pub const FRAMEWORKS: [Framework; 6] = [
    Framework {
        name: "Next.js",
        file: ".env.local",
        prefix: "NEXT_PUBLIC_",
        script_prefix: "NEXT_PUBLIC_",
        server_prefix: "",
        has_server: true,
        note: "",
    },
    Framework {
        name: "React or Vue with Vite",
        file: ".env.local",
        prefix: "VITE_",
        script_prefix: "VITE_",
        server_prefix: "",
        has_server: false,
        note: "The provider takes these as properties: publishableKey, proxyUrl, \
               __internal_clerkJSUrl and __internal_clerkUIUrl.",
    },
    Framework {
        name: "Express, Fastify, Hono",
        file: ".env",
        prefix: "",
        script_prefix: "",
        server_prefix: "",
        has_server: true,
        note: "",
    },
    Framework {
        name: "React Router, TanStack Start",
        file: ".env",
        prefix: "VITE_",
        script_prefix: "",
        server_prefix: "",
        has_server: true,
        note: "",
    },
    Framework {
        name: "Astro",
        file: ".env",
        prefix: "PUBLIC_",
        script_prefix: "PUBLIC_",
        server_prefix: "",
        has_server: true,
        note: "",
    },
    Framework {
        name: "Nuxt",
        file: ".env",
        prefix: "NUXT_PUBLIC_",
        script_prefix: "NUXT_PUBLIC_",
        server_prefix: "NUXT_",
        has_server: true,
        note: "",
    },
];

impl Framework {
    /// The lines for its file: those that everybody may see, and those with the secret key.
    pub fn block(&self, access: &Access) -> (String, Option<String>) {
        let Access { publishable_key, secret_key, api_url, frontend_api_url } = access;
        let public = self.prefix;
        let (script, server) = (self.script_prefix, self.server_prefix);
        let [js, ui] = script_urls(frontend_api_url);
        let mut shown = vec![
            format!("{public}CLERK_PUBLISHABLE_KEY={publishable_key}"),
            format!("{public}CLERK_PROXY_URL={frontend_api_url}"),
            format!("{script}CLERK_JS_URL={js}"),
            format!("{script}CLERK_UI_URL={ui}"),
            format!("{public}CLERK_TELEMETRY_DISABLED=1"),
        ];
        if !self.has_server {
            return (shown.join("\n"), None);
        }
        shown.push(format!("{server}CLERK_API_URL={api_url}"));
        (shown.join("\n"), Some(format!("{server}CLERK_SECRET_KEY={secret_key}")))
    }
}

/// Where the scripts are: official SDKs would look for them under `https://`.
pub fn script_urls(frontend_api_url: &str) -> [String; 2] {
    [
        format!("{frontend_api_url}/npm/@clerk/clerk-js@6/dist/clerk.browser.js"),
        format!("{frontend_api_url}/npm/@clerk/ui@1/dist/ui.browser.js"),
    ]
}
