/** The keys that are known here: the pages that were read, what a search found beyond them, and what was revoked since. */

import { listKeys } from "./api.js";
import * as filters from "./filters.js";

const PAGE_SIZE = 50;
const LARGEST_PAGE = 100;

/** The pages that were read, up to the cursor. */
let keys = [];
/** What a search found beyond them, and the text that it was for. */
let found = [];
let foundFor = "";
/** Ids of revoked keys: a list that was read before, or by a slow index, may still have them. */
const revoked = new Set();
let cursor = null;

/** Every key that is known, the newest first, each once; none that was revoked here as if it worked. */
export function all() {
  const known = new Set(keys.map((key) => key.id));
  return [...keys, ...found.filter((key) => !known.has(key.id) && (key.revoked_at || !revoked.has(key.id)))];
}

/** How many were read, whatever is searched for. */
export function count() {
  return keys.length;
}

/** Whether there are pages that were not read. */
export function hasMore() {
  return cursor !== null;
}

/** Whether keys that are to be seen may not be here yet. */
export function incomplete() {
  return hasMore() && (filters.needAll() || (filters.text() !== "" && filters.text() !== foundFor));
}

/** Other keys are to be read; what was revoked is remembered. */
export function clear() {
  keys = [];
}

export function forget() {
  clear();
  found = [];
  foundFor = "";
  revoked.clear();
  cursor = null;
}

/** Reads as much as is known now, or the first page, and what is searched for. */
export async function read(signal) {
  const wanted = Math.max(PAGE_SIZE, keys.length);
  const before = new Set(keys.map((key) => key.id));
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
}

/** Reads one page more. */
export async function readMore(signal) {
  append(await listKeys({ cursor, limit: PAGE_SIZE, filters: filters.ofApi(), signal }));
}

/** Gets what is to be seen from all pages, by the API's own filters where they can tell. */
export async function complete(signal) {
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

function append(page) {
  const known = new Set(keys.map((key) => key.id));
  for (const key of page.keys) {
    if (!known.has(key.id) && (key.revoked_at || !revoked.has(key.id))) keys.push(key);
    known.add(key.id);
  }
  cursor = page.cursor;
}

/** A key that was made here. */
export function add(key) {
  keys = [key, ...keys.filter((other) => other.id !== key.id)];
}

/** A key that was changed here. */
export function update(key) {
  const changed = (other) => (other.id === key.id ? key : other);
  keys = keys.map(changed);
  found = found.map(changed);
}

/** A key that was revoked here. */
export function drop(id) {
  revoked.add(id);
  keys = keys.filter((key) => key.id !== id);
}

export function wasDropped(id) {
  return revoked.has(id);
}
