/** What the form says of a key, what a key has the form say, and how the two differ. */

import { element } from "./page.js";

/** All that the form says, in the API's words; null for what it leaves open. */
export function said(form) {
  const limit = form.get("rate_limit").trim();
  return {
    name: form.get("name"),
    scopes: form.getAll("scopes"),
    rate_limit: limit ? Number(limit) : null,
    allowed_origins: lines(form.get("allowed_origins")),
    allowed_ips: lines(form.get("allowed_ips")),
    permissions: lines(form.get("permissions")),
    credits: credits(form),
    self_rotation: form.has("self_rotation"),
    metadata: Object.fromEntries(notes(form.get("metadata"))),
  };
}

/** Has the form say what a key is now. */
export function fill(key) {
  element("name").value = key.name;
  element("rate_limit").value = String(key.rate_limit);
  for (const box of element("scopes").querySelectorAll("input")) box.checked = key.scopes.includes(box.value);
  for (const field of ["allowed_origins", "allowed_ips", "permissions"]) element(field).value = key[field]?.join("\n") ?? "";
  element("self_rotation").checked = key.self_rotation;
  element("credits").value = key.credits?.remaining ?? "";
  element("refill").value = key.credits?.refill?.interval ?? "";
  element("amount").value = key.credits?.refill?.amount ?? "";
  element("metadata").value = written(key.metadata);
}

/** The part of what is said that differs from what a key is: nobody else's change is undone by it. */
export function changes(now, key) {
  const found = Object.entries(now).map(([field, value]) => [field, (MERGED[field] ?? replaced)(value, key[field])]);
  return Object.fromEntries(found.filter(([, change]) => change !== undefined));
}

function replaced(now, before) {
  return same(now, before ?? null) ? undefined : now;
}

const MERGED = {
  /** What was spent meanwhile is not given back by saying again what was left. */
  credits(now, before) {
    if (now === null || !before) return replaced(now, before);
    const change = {};
    if (now.remaining !== before.remaining) change.remaining = now.remaining;
    const refill = before.refill && { amount: before.refill.amount, interval: before.refill.interval };
    if (!same(now.refill, refill)) change.refill = now.refill;
    return Object.keys(change).length > 0 ? change : undefined;
  },
  metadata(now, before) {
    const shown = notes(written(before));
    const kept = new Map(Object.entries(now));
    const change = [...kept].filter(([name, value]) => shown.get(name) !== value);
    for (const name of shown.keys()) if (!kept.has(name)) change.push([name, null]);
    return change.length > 0 ? Object.fromEntries(change) : undefined;
  },
};

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** One in a line, or apart by commas or blanks; null for none. */
export function lines(text) {
  const found = text.split(/[\s,]+/).filter(Boolean);
  return found.length > 0 ? found : null;
}

function credits(form) {
  const remaining = form.get("credits").trim();
  const interval = form.get("refill");
  if (remaining === "") return null;
  return { remaining: Number(remaining), refill: interval ? { amount: Number(form.get("amount")), interval } : null };
}

/** Pairs as they are typed, one in a line: `name = value`. */
export function notes(text) {
  const pairs = text.split("\n").filter((line) => line.trim()).map((line) => {
    const [name, ...value] = line.split("=");
    return [name.trim(), value.join("=").trim()];
  });
  return new Map(pairs);
}

/** Pairs that cannot be typed so are left out: they stay what they are. */
function written(metadata) {
  const pairs = Object.entries(metadata).map(([name, value]) => [name, value, `${name} = ${value}`]);
  return pairs.filter(([name, value, line]) => notes(line).get(name) === value).map(([, , line]) => line).join("\n");
}
