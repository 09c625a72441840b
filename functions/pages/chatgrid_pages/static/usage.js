/** How often a key was used: a chart over an hour, a day or a month, the same in a table, and its routes. */

import { keyUsage, Refusal } from "./api.js";
import { draw } from "./chart.js";
import { Notice } from "./notice.js";
import { announce, element, show } from "./page.js";

const MINUTE_MS = 60_000;
const SPANS = {
  hour: { granularity: "minute", ms: 59 * MINUTE_MS, words: "the last hour" },
  day: { granularity: "hour", ms: 23 * 60 * MINUTE_MS, words: "the last day" },
  month: { granularity: "day", ms: 29 * 24 * 60 * MINUTE_MS, words: "the last 30 days" },
};
/** Minutes and hours in the person's own time; days begin where the API's do. */
const FORMATS = {
  minute: new Intl.DateTimeFormat("en", { timeStyle: "short" }),
  hour: new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }),
  day: new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" }),
};
/** What is drawn, from the bottom up. The API counts limited ones among the refused. */
const NAMES = ["allowed", "limited", "refused"];

let id = null;
let loading = null;
let notice;
let whenEnded;

export function prepare({ ended, signOut }) {
  whenEnded = ended;
  notice = new Notice("usage-notice", { retry: load, signOut });
  element("usage-span").addEventListener("change", () => load({ aloud: true }));
}

export function open(keyId) {
  close();
  id = keyId;
  load();
}

export function close() {
  loading?.abort();
  loading = null;
  id = null;
  notice.clear();
  element("usage-form").reset();
  show(element("usage-body"), false);
  for (const part of ["usage-chart", "usage-rows", "usage-routes", "usage-from", "usage-to", "usage-top", "usage-sums"]) element(part).replaceChildren();
}

/** Brings the numbers up to date; `aloud`: and says the sums. */
export async function load({ aloud = false } = {}) {
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  const span = SPANS[new FormData(element("usage-form")).get("span")];
  element("usage").setAttribute("aria-busy", "true");
  try {
    const from = new Date(Date.now() - span.ms).toISOString();
    const told = await keyUsage(id, { granularity: span.granularity, from, signal: mine.signal });
    if (loading !== mine) return;
    notice.clear();
    picture(told, span);
    if (aloud) announce(`In ${span.words}: ${sentence(summed(told.buckets))}.`);
  } catch (problem) {
    if (loading !== mine) return;
    if (!(problem instanceof Refusal)) throw problem;
    if (problem.kind === "ended") whenEnded();
    else if (problem.kind !== "missing") notice.explain(problem); // the page itself says that there is no such key
  } finally {
    if (loading === mine || loading === null) element("usage").setAttribute("aria-busy", "false");
    if (loading === mine) loading = null;
  }
}

function parts({ allowed, rate_limited: limited, refused }) {
  return [allowed, limited, refused - limited];
}

function summed(buckets) {
  return buckets.map(parts).reduce((sums, now) => sums.map((sum, which) => sum + now[which]), [0, 0, 0]);
}

function sentence(numbers) {
  return NAMES.map((name, which) => `${numbers[which].toLocaleString("en")} ${name}`).join(", ");
}

function picture({ granularity, buckets, routes }, { words }) {
  const when = (bucket) => FORMATS[granularity].format(new Date(bucket.at));
  const sums = summed(buckets);
  const bars = buckets.map((bucket) => ({ title: `${when(bucket)}: ${sentence(parts(bucket))}`, parts: parts(bucket) }));
  const top = draw(element("usage-chart"), bars, NAMES, `Requests in ${words}: ${sentence(sums)}`);
  element("usage-top").textContent = top.toLocaleString("en");
  element("usage-from").textContent = when(buckets[0]);
  element("usage-to").textContent = when(buckets.at(-1));
  element("usage-sums").replaceChildren(...NAMES.map((name, which) => sumOf(name, sums[which])));
  element("usage-rows").replaceChildren(...buckets.map((bucket) => row(when(bucket), [...parts(bucket), bucket.credits])));
  element("usage-routes").replaceChildren(...routes.map((route) => row(route.route, [...parts(route), route.credits])));
  show(element("usage-routes").closest("table"), routes.length > 0);
  show(element("usage-no-routes"), routes.length === 0);
  show(element("usage-body"));
}

function sumOf(name, count) {
  const item = document.createElement("li");
  item.className = name;
  const number = document.createElement("b");
  number.textContent = count.toLocaleString("en");
  item.append(number, ` ${name}`);
  return item;
}

function row(head, numbers) {
  const made = document.createElement("tr");
  const title = document.createElement("th");
  title.scope = "row";
  title.textContent = head;
  made.append(title, ...numbers.map(cell));
  return made;
}

function cell(number) {
  const made = document.createElement("td");
  made.textContent = number.toLocaleString("en");
  return made;
}
