// Loads the official components from this server and mounts the one of the page.
const portal = document.getElementById('portal');
const place = document.getElementById('component');
const { page, prefix, key, host, nonce } = portal.dataset;
const base = location.origin + prefix;
// A host that the key spells needs no other word on where to ask.
const proxyUrl = base === `https://${host}` ? undefined : base;

const load = src => new Promise((done, failed) => {
  const script = Object.assign(document.createElement('script'), { src, crossOrigin: 'anonymous', onload: done });
  script.onerror = () => failed(new Error(src));
  script.dataset.clerkPublishableKey = key;
  if (proxyUrl) script.dataset.clerkProxyUrl = proxyUrl;
  document.head.append(script);
});

const dark = matchMedia('(prefers-color-scheme: dark)');
const variables = () => (dark.matches
  ? { colorBackground: '#1f1f23', colorForeground: '#f4f4f5', colorMutedForeground: '#b4b4bd', colorMuted: '#26262c', colorNeutral: '#ffffff',
      colorInput: '#26262c', colorInputForeground: '#f4f4f5', colorPrimary: '#a5b4fc', colorDanger: '#f05252', colorPrimaryForeground: '#18181b', colorShimmer: '#ffffff24',
      // The names that 5.x has for the same.
      colorText: '#f4f4f5', colorTextSecondary: '#b4b4bd', colorInputBackground: '#26262c', colorInputText: '#f4f4f5', colorTextOnPrimaryBackground: '#18181b' }
  : { colorPrimary: '#4338ca', colorDanger: '#dc2626' });
const appearance = () => ({ variables: variables() });

const own = path => base + path;

// The SDK says in the fragment where people go afterwards. The server sees it once it is in the query, and drops what is not
// allowed; so whatever is in the query of this page may be gone to.
const isAsked = () => {
  if (!location.hash.startsWith('#/')) return true;
  const said = new URL(location.origin + location.hash.slice(1));
  const whole = new URL(location.href);
  whole.hash = '';
  whole.pathname = `${whole.pathname.replace(/\/$/, '')}${said.pathname.replace(/\/$/, '')}`;
  said.searchParams.forEach((value, name) => whole.searchParams.set(name, value));
  location.replace(whole);
  return false;
};
const judged = () => [...new URLSearchParams(location.search)].flatMap(([name, value]) => {
  if (!name.endsWith('_url') || !URL.canParse(value)) return [];
  return [new RegExp(`^${new URL(value).origin.replace(/[^a-z0-9]/gi, '\\$&')}$`)];
});

// In development no app need be there yet; in production the environment says where it is.
const home = key.startsWith('pk_test_') ? own('/user') : undefined;
const pages = {
  'sign-in': clerk => clerk.mountSignIn(place, { routing: 'path', path: `${prefix}/sign-in`, signUpUrl: own('/sign-up'), waitlistUrl: own('/waitlist'), fallbackRedirectUrl: home }),
  'sign-up': clerk => clerk.mountSignUp(place, { routing: 'path', path: `${prefix}/sign-up`, signInUrl: own('/sign-in'), fallbackRedirectUrl: home }),
  waitlist: clerk => clerk.mountWaitlist(place, { signInUrl: own('/sign-in') }),
  user: clerk => (clerk.user
    ? clerk.mountUserProfile(place, { routing: 'path', path: `${prefix}/user` })
    : clerk.redirectToSignIn({ signInForceRedirectUrl: location.href, signUpForceRedirectUrl: location.href })),
  unauthorized: () => {},
};

const start = async () => {
  for (const script of portal.dataset.scripts.split(' ')) await load(`${base}/npm/${script}`);
  const clerk = window.Clerk;
  await clerk.load({
    ...(window.__internal_ClerkUICtor && { ui: { ClerkUI: window.__internal_ClerkUICtor } }),
    ...(nonce && { nonce }),
    telemetry: false,
    appearance: appearance(),
    signInUrl: own('/sign-in'),
    signUpUrl: own('/sign-up'),
    waitlistUrl: own('/waitlist'),
    afterSignOutUrl: own('/sign-in'),
    allowedRedirectOrigins: [location.origin, ...portal.dataset.origins.split(' ').filter(Boolean), ...judged()],
  });
  await pages[page](clerk);
  dark.addEventListener('change', () => clerk.__internal_updateProps?.({ appearance: appearance() }));
};

if (isAsked()) start().catch(error => {
  console.error(error);
  document.getElementById('trouble').textContent = 'This page could not be loaded. Please try again in a moment.';
});
