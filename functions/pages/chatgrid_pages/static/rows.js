/** The table's rows. A row stays the same element while its key does, so that focus and selection stay too. */

import { element } from "./page.js";
import { fill } from "./times.js";

const SOON_MS = 7 * 86_400_000;
const known = new Map();

export function draw(keys, { showExact, now }) {
  const wanted = keys.map((key) => known.get(key.id) ?? newRow(key));
  keys.forEach((key, place) => fillTimes(wanted[place], key, { showExact, now }));
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

export function clear() {
  known.clear();
  element("rows").replaceChildren();
}

/** Puts the focus on what can be done with a key. */
export function focus(id) {
  const row = known.get(id);
  if (row) part(row, "revoke").focus();
}

function newRow(key) {
  const row = element("row").content.firstElementChild.cloneNode(true);
  const environment = key.key_prefix.startsWith("cgk_test_") ? "test" : "live";
  part(row, "name").textContent = key.name;
  part(row, "prefix").textContent = `${key.key_prefix}…`;
  part(row, "scopes").replaceChildren(...key.scopes.map(chip));
  part(row, "environment").textContent = environment;
  part(row, "environment").classList.add(environment);
  part(row, "limit").textContent = `${key.rate_limit.toLocaleString("en")} / min`;
  part(row, "revoke").dataset.key = key.id;
  part(row, "revoke").setAttribute("aria-label", `Revoke ${key.name}`);
  return row;
}

function fillTimes(row, key, { showExact, now }) {
  fill(part(row, "created"), key.created_at, { showExact, now });
  fill(part(row, "used"), key.last_used_at, { otherwise: "Never", showExact, now });
  const expires = part(row, "expires");
  fill(expires, key.expires_at, { otherwise: "Never", showExact, now });
  const left = key.expires_at === null ? Infinity : new Date(key.expires_at) - now;
  row.classList.toggle("expired", left <= 0);
  row.classList.toggle("expires-soon", left > 0 && left < SOON_MS);
  if (left <= 0) expires.textContent = `Expired ${expires.textContent}`;
}

function chip(scope) {
  const node = document.createElement("span");
  node.className = "chip";
  node.textContent = scope;
  return node;
}

function part(row, name) {
  return row.querySelector(`[data-part="${name}"]`);
}
