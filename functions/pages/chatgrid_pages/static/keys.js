/** The list of keys: loading, showing, filtering, and keeping it true while other browsers change it. */

import { listKeys, Refusal } from "./api.js";
import * as keyForm from "./key-form.js";
import { Notice } from "./notice.js";
import { announce, busy, confirm, element, isBusy, show } from "./page.js";
import * as reveal from "./reveal.js";
import * as revoke from "./revoke.js";
import * as rows from "./rows.js";

const PAGE_SIZE = 50;
const LARGEST_PAGE = 100;
/** What the API is asked to leave out. */
const FILTERS = ["status-filter", "environment-filter"];
/** As much of a key as may be searched for, or sent anywhere. */
const PREFIX_LENGTH = 13;
/** Coming back to the page brings the list up to date, unless that has just been done. */
const FRESH_MS = 3_000;
const RELATIVE_TIMES_AGE_MS = 30_000;
/** How long somebody has stopped typing before the count is read out. */
const QUIET_MS = 500;

let keys = [];
/** Ids of revoked keys: a list that was read before, or by a slow index, may still have them. */
const revoked = new Set();
let cursor = null;
let loading = null;
let loadedAt = -Infinity;
let notice;
let whenEnded;
let countAloud;

export function prepare({ ended, signOut }) {
  whenEnded = ended;
  notice = new Notice("notice", { retry: () => load({ keep: true }), signOut });
  element("new-key").addEventListener("click", () => keyForm.open());
  element("first-key").addEventListener("click", () => keyForm.open());
  element("refresh").addEventListener("click", () => load({ keep: true, aloud: true }));
  element("more").addEventListener("click", showMore);
  for (const id of FILTERS) element(id).addEventListener("change", () => load({ keep: false, aloud: true }));
  element("filter").addEventListener("input", filter);
  element("clear-filter").addEventListener("click", () => {
    const reload = filtered();
    unfilter();
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
    if (id) revoke.open(keys.find((key) => key.id === id));
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
  return keys.find((key) => key.id === id)?.name;
}

/** Somebody is elsewhere in the page; what is known stays. */
export function hide() {
  loading?.abort();
  loading = null;
  notice.clear();
  clearTimeout(countAloud);
  element("keys").setAttribute("aria-busy", "false");
  show(element("keys"), false);
}

/** Leaves nothing behind: no key of one user may be seen by the next. A raw key that is shown stays until it is stored. */
export function close() {
  hide();
  announce("");
  keys = [];
  revoked.clear();
  cursor = null;
  loadedAt = -Infinity;
  unfilter();
  element("no-match-text").textContent = "";
  rows.clear();
  for (const id of ["keys", "keys-list", "keys-empty", "keys-loading"]) show(element(id), false);
}

/** Loads as much as is shown now, or the first page. `keep`: what is shown stays until the answer is here. */
async function load({ keep, aloud = false }) {
  const wanted = Math.max(PAGE_SIZE, keep ? keys.length : 0);
  if (!keep) keys = [];
  const before = new Set(keys.map((key) => key.id));
  await fetching(async (signal) => {
    const found = [];
    let next = null;
    do {
      const page = await listKeys({ cursor: next, limit: Math.min(LARGEST_PAGE, wanted), filters: filters(), signal });
      found.push(...page.keys);
      next = page.cursor;
    } while (next && found.length < wanted);
    const made = keys.filter((key) => !before.has(key.id)); // here, while the list was on its way
    keys = [];
    append({ keys: [...made, ...found], cursor: next });
    if (element("filter").value) await loadRest(signal);
    if (aloud || loadedAt === -Infinity) announce(counted());
    loadedAt = performance.now();
  });
}

async function showMore() {
  if (isBusy(element("more"))) return;
  const before = keys.length;
  busy(element("more"), true);
  await fetching(async (signal) => append(await listKeys({ cursor, limit: PAGE_SIZE, filters: filters(), signal })));
  busy(element("more"), false);
  if (keys.length > before) {
    announce(counted());
    if (element("more").hidden) rows.focus(keys[before].id);
  }
}

/** A name can stand on any page, so filtering needs all of them. */
async function filter() {
  const field = element("filter");
  // Whoever has found a key may paste all of it: its first characters say which it is.
  if (/^\s*cg[kpt]_/.test(field.value)) field.value = field.value.trim().slice(0, PREFIX_LENGTH);
  draw();
  if (element("filter").value && cursor) await fetching(loadRest);
  clearTimeout(countAloud);
  countAloud = setTimeout(() => announce(element("count").textContent), QUIET_MS);
}

async function loadRest(signal) {
  while (cursor) append(await listKeys({ cursor, limit: LARGEST_PAGE, filters: filters(), signal }));
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
  const reload = filtered();
  unfilter();
  draw();
  if (reload) load({ keep: true });
}

/** A key that was changed here. */
export function update(key) {
  keys = keys.map((other) => (other.id === key.id ? key : other));
  draw();
}

export function focusOn(id) {
  rows.focus(id);
}

/** A key that was revoked here. */
export function remove(id, words) {
  if (revoked.has(id)) return;
  const place = shown().findIndex((key) => key.id === id);
  revoked.add(id);
  keys = keys.filter((key) => key.id !== id);
  draw();
  confirm(words);
  if (element("keys").hidden) return;
  if (filtered()) load({ keep: true });
  if (document.activeElement !== document.body) return; // it was elsewhere, or has gone back there
  const left = shown();
  if (left.length > 0) rows.focus(left[Math.min(Math.max(place, 0), left.length - 1)].id);
  else ["clear-filter", "filter", "first-key", "new-key"].map(element).find((node) => node.checkVisibility())?.focus();
}

function filters() {
  return { status: element("status-filter").value, environment: element("environment-filter").value };
}

/** Whether the API leaves some of the living keys out, or shows others too. */
function filtered() {
  return element("status-filter").value !== "active" || element("environment-filter").value !== "";
}

function unfilter() {
  element("filter").value = "";
  element("status-filter").value = "active";
  element("environment-filter").value = "";
}

/** What is searched for; empty when all keys are shown. */
function wanted() {
  return element("filter").value.trim().toLowerCase();
}

function shown() {
  const text = wanted();
  return keys.filter((key) => key.name.toLowerCase().includes(text) || [key.key_prefix, key.id].some((start) => start.toLowerCase().startsWith(text)));
}

function draw() {
  if (element("keys").hidden) return;
  const known = keys.length > 0;
  const matching = shown();
  rows.draw(matching, { showExact: element("exact-times").getAttribute("aria-pressed") === "true", now: Date.now() });
  const nothingYet = !known && loading === null && !notice.visible && !filtered();
  show(element("keys-loading"), !known && loading !== null && !notice.visible);
  show(element("keys-empty"), nothingYet);
  show(element("keys-list"), known || filtered());
  show(element("new-key"), !nothingYet);
  element("keys").setAttribute("aria-busy", String(loading !== null));
  const searching = Boolean(wanted() && cursor);
  show(element("no-match"), (known || (filtered() && loading === null)) && matching.length === 0 && !searching);
  element("no-match-title").textContent = known ? "No key by that name" : "No such keys";
  element("no-match-text").textContent = known
    ? `None of these ${keys.length} keys has “${element("filter").value.trim()}” in its name, or begins so.`
    : "You have none with this status in this environment.";
  show(element("rows").closest("table"), matching.length > 0);
  show(element("more"), Boolean(cursor) && !wanted());
  element("count").textContent = searching ? "Searching all keys…" : wanted() ? `${matching.length} of ${counted()}` : counted();
}

function counted() {
  const number = keys.length === 1 ? "1 key" : `${keys.length} keys`;
  return cursor ? `${number}, and more` : number;
}
