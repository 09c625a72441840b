/** A key's own page: what it is, how it was used, what was done to it, and what can be done with it. */

import { changeKey, endPreviousSecret, getKey, listKeys, Refusal } from "./api.js";
import { factsOf, stateOf } from "./facts.js";
import * as keyForm from "./key-form.js";
import { Notice } from "./notice.js";
import { announce, busy, confirm, copyText, element, isBusy, show } from "./page.js";
import { ofKey } from "./places.js";
import * as revoke from "./revoke.js";
import * as rotate from "./rotate.js";
import { fill } from "./times.js";
import { Trail } from "./trail.js";
import * as usage from "./usage.js";

const LARGEST_PAGE = 100;
const FRESH_MS = 3_000;

let id = null;
let key = null;
let loading = null;
let loadedAt = -Infinity;
let notice;
let trail;
let callbacks;

/** `changed(key)` is told of every change; `nameOf(id)` is what a key is called; `ended`: the session is over. */
export function prepare({ changed, nameOf, ended, signOut }) {
  callbacks = { changed, nameOf, ended };
  notice = new Notice("key-notice", { retry: load, signOut });
  trail = new Trail("trail", { ended, signOut, nameOf });
  usage.prepare({ ended, signOut });
  element("key-copy").addEventListener("click", async () => announce(await copyText(element("key-id"), "Id copied.")));
  element("key-refresh").addEventListener("click", () => refresh());
  element("key-edit").addEventListener("click", () => keyForm.edit(key));
  element("key-rotate").addEventListener("click", () => rotate.open(key));
  element("key-revoke").addEventListener("click", () => revoke.open(key));
  element("key-pause").addEventListener("click", () => {
    const enabled = !key.enabled;
    act(element("key-pause"), (chosen) => changeKey(chosen, { enabled }), ({ name }) => (enabled ? `${name} is resumed: it works again within five seconds.` : `${name} is paused: it is refused until you resume it.`));
  });
  element("previous-end").addEventListener("click", () => act(element("previous-end"), endPreviousSecret, ({ name }) => `The previous secret of ${name} works no more.`));
  document.addEventListener("visibilitychange", refreshIfStale);
  addEventListener("focus", refreshIfStale);
}

export function open({ id: wanted, moveFocus }) {
  id = wanted;
  show(element("key"));
  element("key-title").textContent = callbacks.nameOf(id) ?? "A key";
  if (moveFocus) element("key-title").focus();
  usage.open(id);
  trail.open(id);
  load();
}

/** Leaves nothing behind of the key that was shown. */
export function close() {
  loading?.abort();
  loading = null;
  id = null;
  key = null;
  loadedAt = -Infinity;
  notice.clear();
  usage.close();
  trail.close();
  element("key").setAttribute("aria-busy", "false");
  for (const part of ["key-title", "key-id", "key-facts", "key-state", "key-badge", "previous-prefix", "previous-used", "previous-ends"]) element(part).replaceChildren();
  for (const part of ["key", "key-body", "key-missing", "key-loading", "key-actions", "key-more"]) show(element(part), false);
}

/** Shows the key as it is now, wherever that was learnt. */
export function update(changed) {
  if (id !== changed.id) return;
  key = changed;
  draw();
  trail.open(id);
}

/** The key is no more: what is left of it can still be seen. */
export function revoked(which) {
  if (id !== which) return;
  element("key-title").focus();
  load();
  trail.open(id);
}

function refresh() {
  load();
  usage.load({ aloud: true });
  trail.open(id);
}

function refreshIfStale() {
  const idle = !loading && !notice.visible && document.querySelector("dialog[open]") === null;
  if (key && idle && document.visibilityState === "visible" && performance.now() - loadedAt > FRESH_MS) load();
}

async function load() {
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  element("key").setAttribute("aria-busy", "true");
  show(element("key-loading"), key === null);
  try {
    const found = (await living(id, mine.signal)) ?? (await revokedOne(id, mine.signal));
    if (loading !== mine) return;
    notice.clear();
    key = found;
    loadedAt = performance.now();
    draw();
  } catch (problem) {
    if (loading !== mine) return;
    if (!(problem instanceof Refusal)) throw problem;
    if (problem.kind === "ended") callbacks.ended();
    else notice.explain(problem);
  } finally {
    if (loading === mine) {
      loading = null;
      show(element("key-loading"), false);
      element("key").setAttribute("aria-busy", "false");
    }
  }
}

async function living(wanted, signal) {
  try {
    return await getKey(wanted, { signal });
  } catch (problem) {
    if (problem instanceof Refusal && problem.kind === "missing") return null;
    throw problem;
  }
}

/** A revoked key can be seen in the list alone, in which the newest come first. */
async function revokedOne(wanted, signal) {
  let cursor = null;
  do {
    const page = await listKeys({ cursor, limit: LARGEST_PAGE, filters: { status: "revoked" }, signal });
    const found = page.keys.find((candidate) => candidate.id === wanted);
    if (found) return found;
    cursor = page.keys.length > 0 && page.keys.at(-1).id < wanted ? null : page.cursor;
  } while (cursor);
  return null;
}

function draw() {
  show(element("key-body"), key !== null);
  show(element("key-more"), key !== null);
  show(element("key-missing"), key === null);
  show(element("key-actions"), key !== null && !key.revoked_at);
  if (key === null) {
    element("key-title").textContent = "No such key";
    usage.close();
    trail.close();
    return;
  }
  const now = Date.now();
  const state = stateOf(key, now);
  element("key-title").textContent = key.name;
  element("key-badge").textContent = state.name;
  element("key-badge").className = `badge ${state.name}`;
  element("key-state").textContent = state.words;
  element("key-id").textContent = key.id;
  element("key-pause").textContent = key.enabled ? "Pause" : "Resume";
  // The API rotates no key that is refused anyway, and a canary always is.
  show(element("key-rotate"), state.name === "active" && key.kind !== "canary");
  show(element("key-pause"), key.kind !== "canary");
  show(element("key-tokens"), key.kind === "secret" && !key.revoked_at);
  element("key-facts").replaceChildren(...factsOf(key, now, { link }).map(fact));
  const previous = key.previous_secret ?? null;
  show(element("previous"), previous !== null);
  if (previous === null) return;
  element("previous-prefix").textContent = `${previous.key_prefix}…`;
  fill(element("previous-used"), previous.last_used_at, { otherwise: "never", showExact: true });
  fill(element("previous-ends"), previous.expires_at, { showExact: true });
}

function fact([label, value]) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const told = document.createElement("dd");
  term.textContent = label;
  told.append(...(Array.isArray(value) ? value : [value]));
  group.append(term, told);
  return group;
}

function link(to) {
  const node = document.createElement("a");
  node.href = ofKey(to);
  node.textContent = callbacks.nameOf(to) ?? to;
  return node;
}

/** Does something to the key at once; what happened is said to all, unless somebody has gone elsewhere. */
async function act(button, work, words) {
  if (isBusy(button)) return;
  busy(button, true);
  const mine = id;
  try {
    const changed = await work(mine);
    if (id !== mine) return;
    notice.clear();
    callbacks.changed(changed);
    confirm(words(changed));
    if (!button.checkVisibility()) element("key-title").focus();
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (id !== mine) return;
    if (problem.kind === "ended") callbacks.ended();
    else if (problem.kind === "missing") load();
    else notice.explain(problem);
  } finally {
    busy(button, false);
  }
}
