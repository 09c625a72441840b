/** The list of keys: loading, showing, filtering, and keeping it true while other browsers change it. */

import { listKeys, Refusal } from "./api.js";
import * as filters from "./filters.js";
import * as keyForm from "./key-form.js";
import { Notice } from "./notice.js";
import { announce, busy, confirm, element, isBusy, show } from "./page.js";
import * as reveal from "./reveal.js";
import * as revoke from "./revoke.js";
import * as rows from "./rows.js";
import * as selection from "./selection.js";
import * as several from "./several.js";

const PAGE_SIZE = 50;
const LARGEST_PAGE = 100;
/** Coming back to the page brings the list up to date, unless that has just been done. */
const FRESH_MS = 3_000;
const RELATIVE_TIMES_AGE_MS = 30_000;
/** How long somebody has stopped typing before the API is asked, and before the count is read out. */
const PAUSE_MS = 200;
const QUIET_MS = 500;

/** The pages that were read, up to the cursor. */
let keys = [];
/** What a search found beyond them, and the text that it was for. */
let found = [];
let foundFor = "";
/** Ids of revoked keys: a list that was read before, or by a slow index, may still have them. */
const revoked = new Set();
let cursor = null;
let loading = null;
let loadedAt = -Infinity;
let notice;
let whenEnded;
let countAloud;
let aboutToSearch;

export function prepare({ ended, signOut }) {
  whenEnded = ended;
  notice = new Notice("notice", { retry: () => load({ keep: true }), signOut });
  element("new-key").addEventListener("click", () => keyForm.open());
  element("first-key").addEventListener("click", () => keyForm.open());
  element("refresh").addEventListener("click", () => load({ keep: true, aloud: true }));
  element("more").addEventListener("click", showMore);
  filters.prepare({ loaded: () => load({ keep: false, aloud: true }), searched: search });
  selection.prepare({ act: several.open });
  several.prepare({
    paused: update,
    revoked: drop,
    finished(words) {
      confirm(words);
      load({ keep: true });
      element("keys-title").focus();
    },
    ended,
  });
  element("clear-filter").addEventListener("click", () => {
    const reload = filters.active();
    filters.clear();
    element("filter").focus();
    if (reload) load({ keep: false });
    else draw();
  });
  element("exact-times").addEventListener("click", () => {
    const pressed = element("exact-times").getAttribute("aria-pressed") !== "true";
    element("exact-times").setAttribute("aria-pressed", String(pressed));
    draw();
  });
  element("rows").addEventListener("click", (event) => {
    const id = event.target.closest("button")?.dataset.key;
    if (id) revoke.open(all().find((key) => key.id === id));
  });
  document.addEventListener("visibilitychange", refreshIfStale);
  addEventListener("focus", refreshIfStale);
  setInterval(() => keys.length > 0 && draw(), RELATIVE_TIMES_AGE_MS);
}

/** `from`: the id of the key whose page somebody comes back from. */
export function open({ moveFocus, from = null }) {
  show(element("keys"));
  const known = loadedAt !== -Infinity;
  load({ keep: known });
  if (moveFocus && !(from && rows.focusLink(from))) element("keys-title").focus();
}

/** What a key is called, as far as that is known here. */
export function nameOf(id) {
  return all().find((key) => key.id === id)?.name;
}

/** Somebody is elsewhere in the page; what is known stays. */
export function hide() {
  loading?.abort();
  loading = null;
  notice.clear();
  clearTimeout(countAloud);
  clearTimeout(aboutToSearch);
  element("keys").setAttribute("aria-busy", "false");
  show(element("keys"), false);
}

/** Leaves nothing behind: no key of one user may be seen by the next. A raw key that is shown stays until it is stored. */
export function close() {
  hide();
  announce("");
  keys = [];
  found = [];
  foundFor = "";
  revoked.clear();
  cursor = null;
  loadedAt = -Infinity;
  filters.clear();
  element("no-match-text").textContent = "";
  rows.clear();
  selection.draw([]);
  for (const id of ["keys", "keys-list", "keys-empty", "keys-loading"]) show(element(id), false);
}

/** Loads as much as is shown now, or the first page. `keep`: what is shown stays until the answer is here. */
async function load({ keep, aloud = false }) {
  const wanted = Math.max(PAGE_SIZE, keep ? keys.length : 0);
  if (!keep) keys = [];
  const before = new Set(keys.map((key) => key.id));
  await fetching(async (signal) => {
    const told = [];
    let next = null;
    do {
      const page = await listKeys({ cursor: next, limit: Math.min(LARGEST_PAGE, wanted), filters: filters.ofApi(), signal });
      told.push(...page.keys);
      next = page.cursor;
    } while (next && told.length < wanted);
    const made = keys.filter((key) => !before.has(key.id)); // here, while the list was on its way
    keys = [];
    append({ keys: [...made, ...told], cursor: next });
    foundFor = "";
    await complete(signal);
    if (aloud || loadedAt === -Infinity) announce(counted());
    loadedAt = performance.now();
  });
}

async function showMore() {
  if (isBusy(element("more"))) return;
  const before = keys.length;
  busy(element("more"), true);
  await fetching(async (signal) => append(await listKeys({ cursor, limit: PAGE_SIZE, filters: filters.ofApi(), signal })));
  busy(element("more"), false);
  if (keys.length > before) {
    announce(counted());
    if (element("more").hidden) rows.focus(keys[before].id);
  }
}

function search() {
  draw();
  clearTimeout(aboutToSearch);
  if (incomplete()) aboutToSearch = setTimeout(() => fetching(complete), PAUSE_MS);
  clearTimeout(countAloud);
  countAloud = setTimeout(() => announce(element("count").textContent), QUIET_MS);
}

/** Whether keys that are to be seen may not be here yet. */
function incomplete() {
  return cursor !== null && (filters.needAll() || (filters.text() !== "" && filters.text() !== foundFor));
}

/** Gets what is to be seen from all pages, by the API's own filters where they can tell. */
async function complete(signal) {
  if (!incomplete()) return;
  const wanted = filters.text();
  const asked = filters.needAll() ? null : filters.ofSearch();
  if (asked === null) {
    while (cursor) append(await listKeys({ cursor, limit: LARGEST_PAGE, filters: filters.ofApi(), signal }));
    return;
  }
  const told = [];
  let next = null;
  do {
    const page = await listKeys({ cursor: next, limit: LARGEST_PAGE, filters: asked, signal });
    told.push(...page.keys);
    next = page.cursor;
  } while (next);
  found = told;
  foundFor = wanted;
}

/** Every key that is known, the newest first, each once; none that was revoked here as if it worked. */
function all() {
  const known = new Set(keys.map((key) => key.id));
  return [...keys, ...found.filter((key) => !known.has(key.id) && (key.revoked_at || !revoked.has(key.id)))];
}

function append(page) {
  const known = new Set(keys.map((key) => key.id));
  for (const key of page.keys) {
    if (!known.has(key.id) && (key.revoked_at || !revoked.has(key.id))) keys.push(key);
    known.add(key.id);
  }
  cursor = page.cursor;
}

/** Runs one load at a time: the latest wins, and what it cannot get is explained in the notice. */
async function fetching(work) {
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  draw();
  try {
    await work(mine.signal);
    if (loading === mine) notice.clear();
  } catch (problem) {
    if (loading !== mine) return;
    if (!(problem instanceof Refusal)) throw problem;
    if (problem.kind === "ended") {
      whenEnded();
      return;
    }
    notice.explain(problem);
  } finally {
    if (loading === mine) loading = null;
    if (loading === null) draw();
  }
}

function refreshIfStale() {
  const shown = !element("keys").hidden && document.visibilityState === "visible" && !element("reveal").open;
  if (shown && !loading && !notice.visible && performance.now() - loadedAt > FRESH_MS) load({ keep: true });
}

/** A key that was made here; its raw form is not for the list. */
export function add(key) {
  keys = [key, ...keys.filter((other) => other.id !== key.id)];
  const reload = filters.active();
  filters.clear();
  draw();
  if (reload) load({ keep: true });
}

/** A key that was changed here. */
export function update(key) {
  const changed = (other) => (other.id === key.id ? key : other);
  keys = keys.map(changed);
  found = found.map(changed);
  draw();
}

export function focusOn(id) {
  rows.focus(id);
}

function drop(id) {
  revoked.add(id);
  keys = keys.filter((key) => key.id !== id);
  draw();
}

/** A key that was revoked here. */
export function remove(id, words) {
  if (revoked.has(id)) return;
  const place = shown().findIndex((key) => key.id === id);
  drop(id);
  confirm(words);
  if (element("keys").hidden) return;
  if (filters.active()) load({ keep: true });
  if (document.activeElement !== document.body) return; // it was elsewhere, or has gone back there
  const left = shown();
  if (left.length > 0) rows.focus(left[Math.min(Math.max(place, 0), left.length - 1)].id);
  else ["clear-filter", "filter", "first-key", "new-key"].map(element).find((node) => node.checkVisibility())?.focus();
}

function shown() {
  return filters.applied(all(), Date.now());
}

function draw() {
  if (element("keys").hidden) return;
  const known = keys.length > 0;
  const matching = shown();
  rows.draw(matching, { showExact: element("exact-times").getAttribute("aria-pressed") === "true", now: Date.now() });
  selection.draw(matching);
  const nothingYet = !known && loading === null && !notice.visible && !filters.active();
  show(element("keys-loading"), !known && loading !== null && !notice.visible);
  show(element("keys-empty"), nothingYet);
  show(element("keys-list"), known || filters.active());
  show(element("new-key"), !nothingYet);
  element("keys").setAttribute("aria-busy", String(loading !== null || searching()));
  show(element("no-match"), (known || (filters.active() && loading === null)) && matching.length === 0 && !searching());
  const text = element("filter").value.trim();
  element("no-match-title").textContent = text ? "No key by that name" : "No such keys";
  element("no-match-text").textContent = text ? `None of ${filters.active() ? "these" : "your"} keys has “${text}” in its name, or begins so.${revokedToo() ? "" : " Revoked ones were not searched."}` : "You have none of this kind.";
  show(element("rows").closest("table"), matching.length > 0);
  show(element("more"), Boolean(cursor) && !filters.text());
  element("count").textContent = searching() ? "Searching all keys…" : narrowed(matching.length);
}

function searching() {
  return incomplete() && !notice.visible;
}

function revokedToo() {
  return ["revoked", "all"].includes(filters.ofApi().status);
}

function narrowed(count) {
  if (count === keys.length && !filters.text()) return counted();
  return cursor ? `${count} found` : `${count} of ${counted()}`;
}

function counted() {
  const number = keys.length === 1 ? "1 key" : `${keys.length} keys`;
  return cursor ? `${number}, and more` : number;
}
