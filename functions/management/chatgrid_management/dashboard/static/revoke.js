/** The dialog that revokes a key, once its name has been typed. */

import { Refusal, revokeKey } from "./api.js";
import { Submission } from "./form.js";
import { element, mark } from "./page.js";

let key = null;
let submission;
let callbacks;

/** `revoked(id, words)` is called when the key is no more; `ended` when the session is over. */
export function prepare({ revoked, ended }) {
  callbacks = { revoked, ended };
  submission = new Submission({ button: element("revoke-submit"), note: element("revoke-note") });
  element("revoke-cancel").addEventListener("click", close);
  element("revoke-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

export function open(chosen) {
  key = chosen;
  submission.reset();
  element("revoke-name").textContent = key.name;
  element("revoke-prefix").textContent = key.key_prefix;
  element("revoke-confirm").value = "";
  mark(element("revoke-confirm"), element("revoke-confirm-error"), "");
  element("revoke").showModal();
  element("revoke-confirm").focus();
}

export function close() {
  key = null;
  element("revoke").close();
}

async function submit() {
  if (submission.busy) return;
  const same = spaced(element("revoke-confirm").value) === spaced(key.name);
  mark(element("revoke-confirm"), element("revoke-confirm-error"), same ? "" : "That is not this key's name.");
  if (!same) {
    element("revoke-confirm").focus();
    return;
  }
  submission.start();
  const { id, name } = key;
  try {
    await revokeKey(id);
    finish(id, `${name} is revoked.`);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (problem.kind === "ended") callbacks.ended();
    else if (problem.kind === "missing") finish(id, `${name} had been revoked already.`);
    else submission.refuse(problem);
  }
}

function finish(id, words) {
  submission.reset();
  if (key?.id === id) close();
  callbacks.revoked(id, words);
}

/** A browser shows any run of spaces as one, so one is what can be typed. */
function spaced(text) {
  return text.trim().replace(/\s+/g, " ");
}
