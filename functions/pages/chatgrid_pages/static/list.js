/** What is to be seen of the list: its rows, what stands in their place, and how many there are. */

import * as filters from "./filters.js";
import * as known from "./known.js";
import { element, show } from "./page.js";
import * as rows from "./rows.js";
import * as selection from "./selection.js";

/** The keys that are to be seen, in their order. */
export function shown() {
  return filters.applied(known.all(), Date.now());
}

/** `loading`: whether keys are on their way; `failed`: whether the notice tells why they are not here. */
export function draw({ loading, failed }) {
  const some = known.count() > 0;
  const matching = shown();
  const searching = known.incomplete() && !failed;
  rows.draw(matching, { showExact: element("exact-times").getAttribute("aria-pressed") === "true", now: Date.now() });
  selection.draw(matching);
  const nothingYet = !some && !loading && !failed && !filters.active();
  show(element("keys-loading"), !some && loading && !failed);
  show(element("keys-empty"), nothingYet);
  // Who has just chosen in it is still there.
  const stays = (loading || failed) && !element("keys-list").hidden;
  show(element("keys-list"), some || filters.active() || stays);
  show(element("new-key"), !nothingYet);
  element("keys").setAttribute("aria-busy", String(loading || searching));
  show(element("no-match"), (some || (filters.active() && !loading)) && matching.length === 0 && !searching);
  sayNoMatch(element("filter").value.trim());
  show(element("rows").closest("table"), matching.length > 0);
  show(element("more"), known.hasMore() && !filters.text());
  element("count").textContent = searching ? "Searching all keys…" : loading && !some ? "" : narrowed(matching.length);
}

function sayNoMatch(text) {
  element("no-match-title").textContent = text ? "No key by that name" : "No such keys";
  const whose = filters.active() ? "these" : "your";
  const not = filters.revokedToo() ? "" : " Revoked ones were not searched.";
  element("no-match-text").textContent = text ? `None of ${whose} keys has “${text}” in its name, or begins so.${not}` : "You have none of this kind.";
}

function narrowed(count) {
  if (count === known.count() && !filters.text()) return counted();
  return known.hasMore() ? `${count} found` : `${count} of ${counted()}`;
}

/** How many keys were read, in words. */
export function counted() {
  const number = known.count() === 1 ? "1 key" : `${known.count()} keys`;
  return known.hasMore() ? `${number}, and more` : number;
}
