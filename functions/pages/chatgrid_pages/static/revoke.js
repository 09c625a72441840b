/** The dialog that revokes a key, once its name or its prefix has been typed. */

import { Refusal, revokeKey } from "./api.js";
import { Submission } from "./form.js";
import { element, mark } from "./page.js";

let key = null;
let submission;
let callbacks;
/** They count, so that an answer is known to be for the form that is open, and for the person who is here. */
let form = 0;
let visit = 0;

/** `revoked(id, words)` is called when the key is no more; `ended` when the session is over. */
export function prepare({ revoked, ended }) {
  callbacks = { revoked, ended };
  submission = new Submission({ button: element("revoke-submit"), note: element("revoke-note") });
  element("revoke-cancel").addEventListener("click", close);
  // By Escape, and not opened again since.
  element("revoke").addEventListener("close", () => element("revoke").open || forget());
  element("revoke-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

export function open(chosen) {
  forget();
  key = chosen;
  element("revoke-name").textContent = key.name;
  element("revoke-prefix").textContent = typeable(key);
  element("revoke").showModal();
  element("revoke-confirm").focus();
}

/** Closes the dialog for good: an answer that is still on its way is nobody's any more. */
export function abandon() {
  visit += 1;
  close();
}

export function close() {
  element("revoke").close();
  forget();
}

/** Nothing of a key stays in the closed dialog, and what is still on its way is not this form's any more. */
function forget() {
  form += 1;
  key = null;
  submission.reset();
  element("revoke-name").textContent = "";
  element("revoke-prefix").textContent = "";
  element("revoke-form").reset();
  mark(element("revoke-confirm"), element("revoke-confirm-error"), "");
}

async function submit() {
  if (submission.busy) return;
  const typed = spaced(element("revoke-confirm").value);
  const same = typed !== "" && (typed === spaced(key.name) || typed === typeable(key));
  mark(element("revoke-confirm"), element("revoke-confirm-error"), same ? "" : "That is not this key's name.");
  if (!same) {
    element("revoke-confirm").focus();
    return;
  }
  submission.start();
  const { id, name } = key;
  const [mine, here] = [form, visit];
  let problem = null;
  try {
    await revokeKey(id, element("revoke-reason").value);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    problem = thrown;
  }
  if (here !== visit) return;
  if (problem?.kind === "ended") {
    callbacks.ended();
  } else if (problem === null || problem.kind === "missing") {
    if (key?.id === id) close();
    callbacks.revoked(id, problem ? `${name} had been revoked already.` : `${name} is revoked.`);
  } else if (mine === form) {
    submission.refuse(problem);
  }
}

/** What names a key whatever its name is: nobody can type some names. An imported key may have no prefix. */
function typeable(chosen) {
  return chosen.key_prefix || chosen.id;
}

/** A browser shows any run of spaces as one, so one is what can be typed. */
function spaced(text) {
  return text.trim().replace(/\s+/g, " ");
}
