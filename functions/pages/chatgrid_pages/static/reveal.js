/**
 * The dialog that shows a raw key, once.
 *
 * The key is in this dialog's text while it is open, and nowhere else: not in storage, the address, the history or
 * the console. When the dialog is closed, or the page is left all the same, it is gone.
 */

import { announce, copyText, element } from "./page.js";
import { settings } from "./settings.js";

let whenDone = null;
/** Keys that came while another is shown. */
let waiting = [];
/** What the page is to show when no key is shown any more; null when nothing has changed. */
let afterwards = null;

export function prepare() {
  const dialog = element("reveal");
  element("reveal-done").addEventListener("click", () => {
    const next = waiting.shift();
    const done = afterwards ?? whenDone;
    hide();
    if (next) {
      open(next);
    } else {
      afterwards = null;
      done();
      announce("The key is no longer shown.");
    }
  });
  element("reveal-copy-key").addEventListener("click", () => copy("reveal-key", "Key copied."));
  element("reveal-copy-curl").addEventListener("click", () => copy("reveal-curl", "Line copied."));
  // Nothing but the button closes it: not Escape, not a phone's back gesture.
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    if (whenDone && !dialog.open) dialog.showModal();
  });
  addEventListener("beforeunload", (event) => {
    if (whenDone) event.preventDefault();
  });
  // A page that is left may be kept whole, for the way back.
  addEventListener("pagehide", () => {
    waiting = [];
    if (whenDone) hide();
    afterwards?.();
    afterwards = null;
  });
}

export function open(key) {
  if (whenDone) {
    waiting.push(key);
    return;
  }
  const { name, rawKey, done } = key;
  whenDone = done;
  element("reveal-name").textContent = name;
  element("reveal-key").textContent = rawKey;
  // The key itself would stay in the shell's history.
  element("reveal-curl").textContent = `read -rs CHATGRID_API_KEY && curl ${settings.apiUrl}me -H "Authorization: Bearer $CHATGRID_API_KEY"`;
  element("reveal-copied").textContent = "";
  element("reveal").showModal();
  element("reveal-copy-key").focus();
}

/** Calls `next` at once or, while a key is shown, as soon as it has been stored. The latest call counts. */
export function whenStored(next) {
  if (whenDone) afterwards = next;
  else next();
}

function hide() {
  whenDone = null;
  for (const id of ["reveal-name", "reveal-key", "reveal-curl", "reveal-copied"]) element(id).textContent = "";
  getSelection()?.removeAllRanges();
  element("reveal").close();
}

async function copy(id, words) {
  element("reveal-copied").textContent = await copyText(element(id), words);
}
