/** All that is known of a key, in words: its state, and a list of facts. */

import { exact, relative } from "./times.js";

const SOON_MS = 7 * 86_400_000;
const DISABLED = { manual: "paused", dormant: "paused because nobody used it", exposed: "paused because it was found in public" };
const REASONS = {
  unspecified: "for no given reason",
  key_compromise: "because it leaked",
  superseded: "because another replaces it",
  affiliation_changed: "because its holder changed",
  cessation_of_operation: "because it is not needed any more",
};
const KINDS = { secret: "Secret", publishable: "Publishable: for web pages", canary: "Canary: a trap" };
const MAKERS = { jwt: "You, in a session", operator: "An operator" };

/** `{name, words}`: "active", "paused", "expired" or "revoked", and how it came to that. */
export function stateOf(key, now) {
  if (key.revoked_at) return { name: "revoked", words: `Revoked ${relative(key.revoked_at, now)}, ${REASONS[key.revocation_reason] ?? REASONS.unspecified}. It is refused for good.` };
  if (key.expires_at && new Date(key.expires_at) <= now) return { name: "expired", words: `Expired ${relative(key.expires_at, now)}. A later expiry makes it work again.` };
  if (!key.enabled) return { name: "paused", words: `This key is ${DISABLED[key.disabled_reason] ?? DISABLED.manual}. It is refused until it is resumed.` };
  if (key.kind === "canary") return { name: "active", words: "A trap: it lets nobody in, and whoever runs this API is told when it is tried." };
  const left = key.expires_at ? new Date(key.expires_at) - now : Infinity;
  return { name: "active", words: left < SOON_MS ? `It works, and expires ${relative(key.expires_at, now)}.` : "It works." };
}

/** The facts as `[label, value]`; a value is text or nodes. `link(id)` makes a way to another key. */
export function factsOf(key, now, { link }) {
  const when = (instant, otherwise) => (instant ? `${relative(instant, now)} (${exact(instant)})` : otherwise);
  const listed = (values, otherwise) => (values ? values.map(code) : otherwise);
  const maker = key.created_by;
  return [
    ["Starts with", [code(key.key_prefix ? `${key.key_prefix}…` : "—")]],
    ["Kind", KINDS[key.kind]],
    ["Environment", key.environment],
    ["Scopes", key.scopes.join(", ")],
    ["Limit", `${key.rate_limit.toLocaleString("en")} requests a minute`],
    ["Credits", credits(key.credits, when)],
    ["Expires", when(key.expires_at, "Never")],
    ["Last used", when(key.last_used_at, "Never")],
    ["Created", when(key.created_at)],
    ["Created by", maker.type === "api_key" ? ["The key ", link(maker.key_id)] : MAKERS[maker.type]],
    ["Last changed", when(key.updated_at)],
    ["May be used from", listed(key.allowed_ips, "Anywhere")],
    ["Permissions", listed(key.permissions, "All that its scopes let it do")],
    ...(key.allowed_origins ? [["Pages", listed(key.allowed_origins)]] : []),
    ["May rotate itself", key.self_rotation ? "Yes" : "No"],
    ...Object.entries(key.metadata).map(([name, value]) => [`Note: ${name}`, value]),
  ];
}

function credits(held, when) {
  if (!held) return "Not counted";
  const left = `${held.remaining.toLocaleString("en")} left`;
  const { amount, interval, next_at: next } = held.refill ?? {};
  return held.refill ? `${left}; ${amount.toLocaleString("en")} each ${interval}, next ${when(next)}` : `${left}; no new ones come`;
}

function code(text) {
  const node = document.createElement("code");
  node.textContent = text;
  return node;
}
