/** The form's choice of an expiry. The default is the API's own; what is beyond its ceiling is not offered. */

import { element, show } from "./page.js";
import { settings } from "./settings.js";
import { exact } from "./times.js";

const DAY_SECONDS = 86_400;

/** The key that is changed; null while one is made. */
let key = null;

export function prepare() {
  const { longestLifetime } = settings;
  const usual = usualLifetime();
  const days = Math.round((usual / DAY_SECONDS) * 10) / 10;
  for (const option of [...element("expiry").options]) {
    if (option.value === "default") option.textContent = usual ? `In ${days} ${days === 1 ? "day" : "days"} (the default)` : "Never (the default)";
    else if (option.value === "never" ? longestLifetime || !usual : longestLifetime && option.value * DAY_SECONDS > longestLifetime) option.remove();
  }
  element("expiry").addEventListener("change", follow);
  element("expires_at").addEventListener("input", follow);
}

/** Offers what may become of this key's expiry, or of a new one's. */
export function open(chosen) {
  key = chosen;
  if (key) element("expiry").value = "same";
  follow();
}

/** `{expires_at}`, or nothing: what is left out stays, or is the deployment's to say. */
export function said() {
  return ["same", "default"].includes(element("expiry").value) ? {} : { expires_at: instant() };
}

/** As the API has it: the ceiling holds for the default too. */
function usualLifetime() {
  const set = [settings.defaultLifetime, settings.longestLifetime].filter(Boolean);
  return set.length > 0 ? Math.min(...set) : 0;
}

function instant() {
  const choice = element("expiry").value;
  if (choice === "same") return key?.expires_at ?? null;
  if (choice === "default") return inSeconds(usualLifetime());
  if (choice === "never") return null;
  if (choice === "exact") {
    const chosen = element("expires_at").value;
    return chosen ? new Date(chosen).toISOString() : null;
  }
  return inSeconds(Number(choice) * DAY_SECONDS);
}

function inSeconds(seconds) {
  return seconds ? new Date(Date.now() + seconds * 1000).toISOString() : null;
}

function follow() {
  offer("same", key !== null);
  offer("default", key === null || !usualLifetime());
  const exactly = element("expiry").value === "exact";
  const chosen = instant();
  show(element("expires_at-row"), exactly);
  element("expires_at-hint").textContent = chosen ? exact(chosen) : exactly ? "In your own time zone." : "Good until it is revoked.";
}

function offer(value, offered) {
  const option = element("expiry").querySelector(`[value="${value}"]`);
  option.disabled = option.hidden = !offered;
}
