/** The dialog that gives a key another secret, with a grace in which the former one still works. */

import { Refusal, rotateKey } from "./api.js";
import { Submission } from "./form.js";
import { element, show } from "./page.js";
import { fill } from "./times.js";

let key = null;
let submission;
let callbacks;
/** The same request sent again is the same rotation: its answer may have been lost on the way. */
let request = null;
/** They count, so that an answer is known to be for the form that is open, and for the person who is here. */
let form = 0;
let visit = 0;

/** `rotated` gets the key, the raw form of its new secret included; `ended` is called when the session is over. */
export function prepare({ rotated, ended }) {
  callbacks = { rotated, ended };
  submission = new Submission({ button: element("rotate-submit"), note: element("rotate-note") });
  element("rotate-cancel").addEventListener("click", close);
  element("rotate").addEventListener("close", () => element("rotate").open || forget());
  element("rotate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

export function open(chosen) {
  forget();
  key = chosen;
  const previous = key.previous_secret;
  element("rotate-name").textContent = key.name;
  show(element("rotate-previous"), Boolean(previous));
  if (previous) fill(element("rotate-used"), previous.last_used_at, { otherwise: "never", showExact: true });
  element("rotate").showModal();
  element("rotate-grace").focus();
}

export function close() {
  element("rotate").close();
  forget();
}

/** Closes the dialog for good: an answer that is still on its way is nobody's any more. */
export function abandon() {
  visit += 1;
  close();
}

function forget() {
  form += 1;
  key = null;
  request = null;
  submission.reset();
  element("rotate-form").reset();
  element("rotate-name").textContent = "";
  element("rotate-used").textContent = "";
}

async function submit() {
  if (submission.busy) return;
  const wanted = { grace_period_seconds: Number(element("rotate-grace").value), force: Boolean(key.previous_secret) };
  const text = JSON.stringify(wanted);
  if (request?.text !== text) request = { text, name: crypto.randomUUID() };
  submission.start();
  const [mine, here] = [form, visit];
  try {
    const rotated = await rotateKey(key.id, wanted, request.name);
    if (here !== visit) return;
    if (mine === form) close();
    // However late: the new secret is in this answer and nowhere else.
    callbacks.rotated(rotated);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (here !== visit) return;
    if (problem.kind === "ended") callbacks.ended();
    else if (mine === form) submission.refuse(problem, { instead: INSTEAD[problem.kind]?.(problem) });
  }
}

const INSTEAD = {
  unreachable: () => "There was no answer. Try again here, without closing this: it is the same rotation, and is done once.",
  conflict: ({ message }) => `${message}.`,
  missing: () => "This key is no more.",
};
