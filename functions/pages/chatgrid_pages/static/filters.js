/** What the list is to show: what the API is asked for, what is left out here, and in which order. */

import { stateOf } from "./facts.js";
import { element } from "./page.js";

/** As much of a key as may be searched for, or sent anywhere. */
const PREFIX_LENGTH = 13;
const LONGEST_NAME = 64;
const DAY_MS = 86_400_000;
/** The controls, as they are when nothing is asked for. */
const AT_REST = { filter: "", "status-filter": "active", "environment-filter": "", "expiry-filter": "", sort: "newest" };

const EXPIRES = {
  "": () => true,
  expired: (left) => left <= 0,
  week: (left) => left > 0 && left <= 7 * DAY_MS,
  month: (left) => left > 0 && left <= 30 * DAY_MS,
  later: (left) => left > 30 * DAY_MS && left !== Infinity,
  never: (left) => left === Infinity,
};
const ORDERS = {
  newest: null,
  oldest: (key) => key.created_at,
  name: (key) => key.name.toLocaleLowerCase("en"),
  /** Those that nobody misses come first. */
  used: (key) => key.last_used_at ?? "",
  expiry: (key) => key.expires_at ?? "9999",
};

/** `loaded` is called when other keys have to be asked for, `searched` when the text has changed. */
export function prepare({ loaded, searched }) {
  for (const id of Object.keys(AT_REST)) if (id !== "filter") element(id).addEventListener("change", loaded);
  element("filter").addEventListener("input", () => {
    const field = element("filter");
    // Whoever has found a key may paste all of it: its first characters say which it is.
    if (/^\s*cg[kpt]_/.test(field.value)) field.value = field.value.trim().slice(0, PREFIX_LENGTH);
    searched();
  });
}

export function clear() {
  for (const [id, value] of Object.entries(AT_REST)) element(id).value = value;
}

/** What is searched for; empty for nothing. */
export function text() {
  return element("filter").value.trim().toLowerCase();
}

/** What the API is asked to leave out of every page. */
export function ofApi() {
  const status = element("status-filter").value;
  return { status: status === "paused" ? "active" : status, environment: element("environment-filter").value };
}

/** Whether revoked keys are among them. */
export function revokedToo() {
  return ["revoked", "all"].includes(ofApi().status);
}

/** What the API is asked for, to find the text on any page; null for an id, of which it knows whole ones alone. */
export function ofSearch() {
  const wanted = text();
  if (/^cg[kp]_/.test(wanted)) return { ...ofApi(), prefix: wanted };
  if (/^[\da-f]{8}(-[\da-f-]*)?$/.test(wanted)) return null;
  return { ...ofApi(), name: [...wanted].slice(0, LONGEST_NAME).join("") };
}

/** Whether anything but the text leaves out living keys, or shows others too. */
export function active() {
  return ["status-filter", "environment-filter", "expiry-filter"].some((id) => element(id).value !== AT_REST[id]);
}

/** Whether the first page does not do: the API neither sorts nor looks for what expires. */
export function needAll() {
  return element("expiry-filter").value !== "" || element("status-filter").value === "paused" || element("sort").value !== "newest";
}

/** Those of the keys that are to be seen, in their order. */
export function applied(keys, now) {
  const wanted = text();
  const expires = EXPIRES[element("expiry-filter").value];
  const paused = element("status-filter").value === "paused";
  const found = keys.filter(
    (key) =>
      (key.name.toLowerCase().includes(wanted) || [key.key_prefix, key.id].some((start) => start.toLowerCase().startsWith(wanted))) &&
      expires(key.expires_at ? new Date(key.expires_at) - now : Infinity) &&
      (!paused || stateOf(key, now).name === "paused"),
  );
  const order = ORDERS[element("sort").value];
  if (!order) return found;
  return found.sort((one, other) => (order(one) < order(other) ? -1 : order(one) > order(other) ? 1 : 0));
}
