/** Signing in: with a provider, with e-mail and password, or with a link sent by e-mail. */

import { announce, busy, element, isBusy, mark, say, show } from "./page.js";
import { sendLink, signInAt, signInWithPassword, waysIn } from "./session.js";

/** The local run's one-click sign-in is listed as a provider of this name. */
const DEVELOPMENT = "development";
const PROVIDER_NAMES = {
  apple: "Apple",
  azure: "Microsoft",
  bitbucket: "Bitbucket",
  discord: "Discord",
  github: "GitHub",
  gitlab: "GitLab",
  google: "Google",
  linkedin_oidc: "LinkedIn",
  slack_oidc: "Slack",
  twitter: "X",
};

let signUp = false;
let waysKnown = false;

/** Wires the form. The page learns of a new session from `session.js`, not from here. */
export function prepare() {
  element("sign-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    withPassword();
  });
  element("sign-in-link").addEventListener("click", withLink);
  element("link-sent-back").addEventListener("click", () => {
    showLinkSent(false);
    element("email").focus();
  });
}

/** Shows the view; `note` says why somebody is asked to sign in (again). */
export async function open(note, { moveFocus }) {
  showLinkSent(false);
  say(element("sign-in-note"), note);
  show(element("sign-in"));
  if (moveFocus) element("sign-in-title").focus();
  if (!waysKnown) await offerWays();
}

export function close() {
  element("sign-in-form").reset();
  show(element("sign-in"), false);
}

async function offerWays() {
  let ways;
  try {
    ways = await waysIn();
    waysKnown = true;
  } catch {
    // Not knowing what else there is, the form is a good guess: the next visit asks again.
    ways = { email: true, signUp: false, providers: [] };
    say(element("sign-in-note"), element("sign-in-note").textContent || "The sign-in service does not answer. Reload the page in a moment.");
  }
  signUp = ways.signUp;
  element("providers").replaceChildren(...ways.providers.map(providerButton));
  show(element("providers-or"), ways.email && ways.providers.length > 0);
  show(element("sign-in-form"), ways.email);
}

function providerButton(provider) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "wide";
  button.textContent = provider === DEVELOPMENT ? "Sign in as the developer" : `Continue with ${PROVIDER_NAMES[provider] ?? provider}`;
  button.addEventListener("click", () => attempt(button, () => signInAt(provider)));
  return button;
}

async function withPassword() {
  const email = checkedEmail();
  const password = element("password").value;
  mark(element("password"), element("password-error"), password ? "" : "Enter your password.");
  if (email && !password) element("password").focus();
  if (!email || !password) return;
  await attempt(element("sign-in-password"), () => signInWithPassword(email, password));
}

async function withLink() {
  const email = checkedEmail();
  mark(element("password"), element("password-error"), "");
  if (!email) return;
  await attempt(element("sign-in-link"), async () => {
    const problem = await sendLink(email, { signUp });
    if (!problem) {
      element("link-sent-email").textContent = email;
      showLinkSent(true);
      element("link-sent-title").focus();
      announce("Check your inbox.");
    }
    return problem;
  });
}

function checkedEmail() {
  const field = element("email");
  const fine = field.value.trim() !== "" && field.checkValidity();
  mark(field, element("email-error"), fine ? "" : "Enter your e-mail address, such as name@example.com.");
  if (!fine) field.focus();
  return fine ? field.value.trim() : null;
}

async function attempt(button, way) {
  if (isBusy(button)) return;
  busy(button, true);
  say(element("sign-in-note"), "");
  try {
    say(element("sign-in-note"), await way());
  } finally {
    busy(button, false);
  }
}

function showLinkSent(sent) {
  show(element("link-sent"), sent);
  show(element("sign-in-ways"), !sent);
}
