/** The list of keys: what is done with it, and keeping it true while other browsers change it. */

import { Refusal } from "./api.js";
import * as filters from "./filters.js";
import * as keyForm from "./key-form.js";
import * as known from "./known.js";
import * as list from "./list.js";
import { Notice } from "./notice.js";
import { announce, busy, confirm, element, isBusy, show } from "./page.js";
import * as revoke from "./revoke.js";
import * as rows from "./rows.js";
import * as selection from "./selection.js";
import * as several from "./several.js";

/** Coming back to the page brings the list up to date, unless that has just been done. */
const FRESH_MS = 3_000;
const RELATIVE_TIMES_AGE_MS = 30_000;
/** How long somebody has stopped typing before the API is asked, and before the count is read out. */
const PAUSE_MS = 200;
const QUIET_MS = 500;

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
    if (id) revoke.open(known.all().find((key) => key.id === id));
  });
  document.addEventListener("visibilitychange", refreshIfStale);
  addEventListener("focus", refreshIfStale);
  setInterval(() => known.count() > 0 && draw(), RELATIVE_TIMES_AGE_MS);
}

/** `from`: the id of the key whose page somebody comes back from. */
export function open({ moveFocus, from = null }) {
  show(element("keys"));
  load({ keep: loadedAt !== -Infinity });
  if (moveFocus && !(from && rows.focusLink(from))) element("keys-title").focus();
}

/** What a key is called, as far as that is known here. */
export function nameOf(id) {
  return known.all().find((key) => key.id === id)?.name;
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
  known.forget();
  loadedAt = -Infinity;
  filters.clear();
  element("no-match-text").textContent = "";
  rows.clear();
  selection.draw([]);
  for (const id of ["keys", "keys-list", "keys-empty", "keys-loading"]) show(element(id), false);
}

/** Loads as much as is shown now, or the first page. `keep`: what is shown stays until the answer is here. */
async function load({ keep, aloud = false }) {
  if (!keep) known.clear();
  await fetching(async (signal) => {
    await known.read(signal);
    if (aloud || loadedAt === -Infinity) announce(list.counted());
    loadedAt = performance.now();
  });
}

async function showMore() {
  if (isBusy(element("more"))) return;
  const before = known.count();
  busy(element("more"), true);
  await fetching(known.readMore);
  busy(element("more"), false);
  if (known.count() > before) {
    announce(list.counted());
    if (element("more").hidden) rows.focus(known.all()[before].id);
  }
}

function search() {
  draw();
  clearTimeout(aboutToSearch);
  if (known.incomplete()) aboutToSearch = setTimeout(() => fetching(known.complete), PAUSE_MS);
  clearTimeout(countAloud);
  countAloud = setTimeout(() => announce(element("count").textContent), QUIET_MS);
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
  known.add(key);
  const reload = filters.active();
  filters.clear();
  draw();
  if (reload) load({ keep: true });
}

/** A key that was changed here. */
export function update(key) {
  known.update(key);
  draw();
}

export function focusOn(id) {
  rows.focus(id);
}

function drop(id) {
  known.drop(id);
  draw();
}

/** A key that was revoked here. */
export function remove(id, words) {
  if (known.wasDropped(id)) return;
  const place = list.shown().findIndex((key) => key.id === id);
  drop(id);
  confirm(words);
  if (element("keys").hidden) return;
  if (filters.active()) load({ keep: true });
  if (document.activeElement !== document.body) return; // it was elsewhere, or has gone back there
  const left = list.shown();
  if (left.length > 0) rows.focus(left[Math.min(Math.max(place, 0), left.length - 1)].id);
  else ["clear-filter", "filter", "first-key", "new-key"].map(element).find((node) => node.checkVisibility())?.focus();
}

function draw() {
  if (element("keys").hidden) return;
  list.draw({ loading: loading !== null, failed: notice.visible });
}
