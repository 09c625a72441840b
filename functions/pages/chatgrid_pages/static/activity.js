/** The activity page: what was done to all of the owner's keys, by whom and when. */

import { element, show } from "./page.js";
import { Trail } from "./trail.js";

let trail;

/** `nameOf(id)` is what a key is called, or undefined; `ended` is called when the session is over. */
export function prepare(told) {
  trail = new Trail("activity", told);
}

export function open({ moveFocus }) {
  show(element("activity"));
  if (moveFocus) element("activity-title").focus();
  trail.open();
}

export function close() {
  trail.close();
  show(element("activity"), false);
}
