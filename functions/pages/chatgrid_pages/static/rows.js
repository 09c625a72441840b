/** The table's rows. A row stays the same element while its key does, so that focus and selection stay too. */

import { stateOf } from "./facts.js";
import { element, part, show } from "./page.js";
import { ofKey } from "./places.js";
import { fill } from "./times.js";

const SOON_MS = 7 * 86_400_000;
const known = new Map();

export function draw(keys, { showExact, now }) {
  const wanted = keys.map((key) => known.get(key.id) ?? newRow(key));
  keys.forEach((key, place) => fillRow(wanted[place], key, { showExact, now }));
  known.clear();
  keys.forEach((key, place) => known.set(key.id, wanted[place]));
  const body = element("rows");
  body.closest("table").classList.toggle("exact", showExact);
  for (const row of [...body.children]) if (!wanted.includes(row)) row.remove();
  // Only what is out of place is moved: a moved element would lose its focus.
  wanted.forEach((row, place) => {
    if (body.children[place] !== row) body.insertBefore(row, body.children[place] ?? null);
  });
}

/** Ticks the boxes of these ids, and no others. */
export function pick(ids) {
  for (const [id, row] of known) part(row, "pick").checked = ids.has(id);
}

export function clear() {
  known.clear();
  element("rows").replaceChildren();
}

/** Puts the focus on what can be done with a key. */
export function focus(id) {
  const row = known.get(id);
  if (row) part(row, "revoke").focus();
}

/** Puts the focus on the way to a key's page; whether there is one. */
export function focusLink(id) {
  const row = known.get(id);
  if (row) part(row, "link").focus();
  return Boolean(row);
}

function newRow(key) {
  const row = element("row").content.firstElementChild.cloneNode(true);
  part(row, "link").href = ofKey(key.id);
  part(row, "revoke").dataset.key = key.id;
  part(row, "pick").dataset.pick = key.id;
  return row;
}

/** What has not changed is left alone, so that a selection stays. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fillRow(row, key, { showExact, now }) {
  const { environment, kind } = key;
  write(part(row, "name"), key.name);
  write(part(row, "prefix"), `${key.key_prefix}…`);
  if (part(row, "scopes").dataset.scopes !== key.scopes.join()) {
    part(row, "scopes").dataset.scopes = key.scopes.join();
    part(row, "scopes").replaceChildren(...key.scopes.map(chip));
  }
  write(part(row, "environment"), environment);
  part(row, "environment").className = `badge ${environment}`;
  write(part(row, "limit"), `${key.rate_limit.toLocaleString("en")} / min`);
  write(part(row, "kind"), kind);
  show(part(row, "kind"), kind !== "secret");
  part(row, "revoke").setAttribute("aria-label", `Revoke ${key.name}`);
  show(part(row, "revoke"), !key.revoked_at);
  part(row, "pick").setAttribute("aria-label", `Select ${key.name}`);
  show(part(row, "pick"), !key.revoked_at);
  const state = stateOf(key, now).name;
  write(part(row, "state"), state);
  part(row, "state").className = `badge ${state}`;
  show(part(row, "state"), state === "paused" || state === "revoked");
  fill(part(row, "created"), key.created_at, { showExact, now });
  fill(part(row, "used"), key.last_used_at, { otherwise: "Never", showExact, now });
  const expires = part(row, "expires");
  fill(expires, key.expires_at, { otherwise: "Never", showExact, now });
  const left = key.expires_at === null ? Infinity : new Date(key.expires_at) - now;
  row.classList.toggle("expired", left <= 0 || state === "revoked");
  row.classList.toggle("expires-soon", left > 0 && left < SOON_MS);
  if (left <= 0) expires.textContent = `Expired ${expires.textContent}`;
}

function chip(scope) {
  const node = document.createElement("span");
  node.className = "chip";
  node.textContent = scope;
  return node;
}
