/** Where in the page somebody is: at the list, at a key or at the activity. The address's fragment says so. */

import { settings } from "./settings.js";

const KEY = /^#\/keys\/([0-9A-Za-z-]{1,64})$/;

/** `{name, id}`: "keys", "activity", or "key" with its id. Null for a fragment that is none of ours. */
export function here() {
  const key = KEY.exec(location.hash);
  if (key) return { name: "key", id: key[1] };
  if (location.hash === "#/activity") return { name: "activity" };
  return location.hash === "" || location.hash.startsWith("#/") ? { name: "keys" } : null;
}

export function ofKey(id) {
  return `#/keys/${id}`;
}

/** What is one person's has no business in the address of the next. */
export function forget() {
  if (location.hash) history.replaceState(null, "", settings.pageUrl);
}
