/** Who is signed in, through Supabase's own auth library. Nothing else of the page knows that library. */

import { AuthClient } from "./auth-js.js";
import { settings } from "./settings.js";

const AUTH_URL = `${settings.supabaseUrl}/auth/v1`;
const HEADERS = settings.publishableKey ? { apikey: settings.publishableKey } : {};
/** Ways in that Supabase lists among the providers, and that are no redirect to one. */
const NOT_PROVIDERS = new Set(["email", "phone", "anonymous_users", "passkey", "web3", "saml"]);
const EXPIRED_LINK = "That link has expired or has been used already. Ask for a new one.";
const NOT_COMPLETED = "Sign-in was not completed. Try again.";
const OTHER_BROWSER = "A sign-in link works only in the browser that asked for it. Ask for a new one here.";
const STORAGE_KEY = "chatgrid-dashboard";

export const ENDED = "Your session has ended. Sign in again to go on.";

let auth;

/**
 * Finds out who is here, finishing a redirect back from a provider or a link if this is one.
 *
 * Returns `{session, problem}`: the session or null, and what to tell the person or null.
 * `onChange(session)` is called whenever that changes later, in whatever tab it happened.
 */
export async function start(onChange) {
  const complaint = complaintInAddress();
  const cameBack = new URLSearchParams(location.search).has("code");
  const wasHere = hasStoredSession();
  auth = new AuthClient({
    url: AUTH_URL,
    headers: HEADERS,
    storageKey: STORAGE_KEY,
    flowType: "pkce",
    persistSession: true,
    autoRefreshToken: true,
    detectSessionInUrl: true,
  });
  const { error } = await auth.initialize();
  // A used code, or an error that somebody may have put there, has no business in the address.
  const place = location.hash.startsWith("#/") ? location.hash : "";
  if (location.search || location.hash !== place) history.replaceState(null, "", settings.pageUrl + place);
  const { data, error: unusable } = await auth.getSession();
  auth.onAuthStateChange((event, session) => {
    if (event !== "INITIAL_SESSION") onChange(session);
  });
  if (data.session) return { session: data.session, problem: null };
  if (complaint || error) return { session: null, problem: complaint ?? inWords(error) };
  if (isOutage(unusable)) return { session: null, problem: inWords(unusable) };
  if (cameBack) return { session: null, problem: OTHER_BROWSER };
  return { session: null, problem: wasHere ? ENDED : null };
}

function hasStoredSession() {
  try {
    return localStorage.getItem(STORAGE_KEY) !== null;
  } catch {
    return false; // a browser that keeps nothing: the session lasts as long as the page
  }
}

/** The words are ours: what stands in an address can be anybody's. */
function complaintInAddress() {
  for (const text of [location.search, location.hash]) {
    const found = new URLSearchParams(text.slice(1));
    if (found.get("error_code") === "otp_expired") return EXPIRED_LINK;
    if (found.has("error")) return NOT_COMPLETED;
  }
  return null;
}

/** What the project lets people sign in with: `{email, signUp, providers}`. Throws when it cannot be asked. */
export async function waysIn() {
  const answer = await fetch(`${AUTH_URL}/settings`, { headers: HEADERS, credentials: "omit" });
  if (!answer.ok) throw new Error(`the project's settings: ${answer.status}`);
  const found = await answer.json();
  const enabled = Object.entries(found.external).filter(([, on]) => on === true).map(([name]) => name);
  return {
    email: enabled.includes("email"),
    signUp: !found.disable_signup,
    providers: enabled.filter((name) => !NOT_PROVIDERS.has(name)).sort(),
  };
}

/** Null when it worked, else what to tell the person. */
export async function signInWithPassword(email, password) {
  const { error } = await auth.signInWithPassword({ email, password });
  return error && inWords(error);
}

/** Null when the link is on its way, else what to tell the person. */
export async function sendLink(email, { signUp }) {
  const options = { emailRedirectTo: settings.pageUrl, shouldCreateUser: signUp };
  const { error } = await auth.signInWithOtp({ email, options });
  // Whether an address is known here is nobody's business but its owner's.
  if (error?.code === "otp_disabled" || error?.code === "signup_disabled") return null;
  return error && inWords(error);
}

/** Leaves the page for the provider's. Null, else what to tell the person. */
export async function signInAt(provider) {
  const { error } = await auth.signInWithOAuth({ provider, options: { redirectTo: settings.pageUrl } });
  return error && inWords(error);
}

/** Ends the session in this browser, whether the server can be reached or not. */
export async function signOut() {
  await auth.signOut({ scope: "local" });
}

/**
 * An access token that is good for now: renewed first when it is about to expire, or when asked to.
 *
 * Returns `{token, userId}`, or `{ended: true}` when there is no session (any more), or `{unreachable: true}`.
 */
export async function accessToken({ renew = false } = {}) {
  let { data, error } = renew ? await auth.refreshSession() : await auth.getSession();
  // Another tab may have been first: then its new session is the one to go on with.
  if (renew && !data.session && !isOutage(error)) ({ data, error } = await auth.getSession());
  if (data.session) return { token: data.session.access_token, userId: data.session.user?.id };
  return isOutage(error) ? { unreachable: true } : { ended: true };
}

function isOutage(error) {
  return Boolean(error) && (error.name === "AuthRetryableFetchError" || error.status >= 500);
}

function inWords(error) {
  if (isOutage(error)) return "The sign-in service cannot be reached. Try again in a moment.";
  if (error.status === 429) return "Too many attempts. Wait a minute and try again.";
  switch (error.code) {
    case "invalid_credentials":
      return "E-mail or password is wrong.";
    case "email_not_confirmed":
      return "Confirm your e-mail address first: the link is in your inbox.";
    case "validation_failed":
    case "email_address_invalid":
      return "That is no e-mail address that can sign in here.";
    default:
      return NOT_COMPLETED;
  }
}
