/** The dialog that makes a key. What is right and wrong is the API's to say: its words appear at the fields. */

import { createKey, Refusal } from "./api.js";
import { Submission } from "./form.js";
import { element, mark, say, show } from "./page.js";
import { settings } from "./settings.js";
import { exact } from "./times.js";

const DAY_MS = 86_400_000;
/** The API's names for what it may find wrong → the control that is marked. */
const FIELDS = { name: "name", scopes: "scopes", environment: "environment", rate_limit: "rate_limit", expires_at: "expires_at" };
const UNCERTAIN = "There was no answer, so the key may have been created or not. Close this and look at the list before you try again.";

let submission;
let callbacks;
/** They count, so that an answer is known to be for the form that is open, and for the person who is here. */
let form = 0;
let visit = 0;

/** `created` gets the new key, its raw form included; `ended` is called when the session is over. */
export function prepare({ created, ended }) {
  callbacks = { created, ended };
  submission = new Submission({ button: element("create-submit"), note: element("create-note") });
  element("rate_limit-hint").textContent = `Up to ${settings.limitCeiling.toLocaleString("en")}; ${settings.defaultLimit.toLocaleString("en")} unless you say otherwise.`;
  element("rate_limit").placeholder = String(settings.defaultLimit);
  element("expiry").addEventListener("change", followExpiry);
  element("expires_at").addEventListener("input", followExpiry);
  element("create-cancel").addEventListener("click", close);
  element("create-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

export function open() {
  empty();
  element("create").showModal();
  element("name").focus();
}

function close() {
  element("create").close();
  empty();
}

/** A form for the next key: what is still on its way is not this form's any more. */
function empty() {
  form += 1;
  element("create-form").reset();
  submission.reset();
  unmark();
  followExpiry();
}

/** Closes the dialog for good: an answer that is still on its way is nobody's any more. */
export function abandon() {
  visit += 1;
  close();
}

async function submit() {
  if (submission.busy) return;
  unmark();
  if (element("expiry").value === "exact" && !element("expires_at").value) {
    mark(element("expires_at"), element("expires_at-error"), "Choose a date and a time.");
    element("expires_at").focus();
    return;
  }
  submission.start();
  const [mine, here] = [form, visit];
  try {
    const key = await createKey(wanted());
    if (here !== visit) return;
    if (mine === form) close();
    // However late: the raw key is in this answer and nowhere else.
    callbacks.created(key);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (here !== visit) return;
    if (problem.kind === "ended") callbacks.ended();
    else if (mine === form) explain(problem);
  }
}

function wanted() {
  const form = new FormData(element("create-form"));
  const limit = form.get("rate_limit").trim();
  return {
    name: form.get("name"),
    scopes: form.getAll("scopes"),
    environment: form.get("environment"),
    // Left out: the deployment's own. No number: as it was typed, for the API to refuse.
    ...(limit && { rate_limit: /^\d{1,15}$/.test(limit) ? Number(limit) : limit }),
    expires_at: expiry(),
  };
}

function expiry() {
  const choice = element("expiry").value;
  if (choice === "never") return null;
  if (choice === "exact") {
    const chosen = element("expires_at").value;
    return chosen ? new Date(chosen).toISOString() : null;
  }
  return new Date(Date.now() + Number(choice) * DAY_MS).toISOString();
}

function followExpiry() {
  show(element("expires_at-row"), element("expiry").value === "exact");
  const instant = expiry();
  const never = element("expiry").value === "never";
  element("expires_at-hint").textContent = instant ? exact(instant) : never ? "Good until it is revoked." : "In your own time zone.";
}

function explain(refusal) {
  if (refusal.kind === "invalid") {
    submission.reset();
    explainDetails(refusal);
  } else if (refusal.kind === "conflict") {
    submission.refuse(refusal, { instead: `${refusal.message}. Revoke one that is not needed first.` });
  } else {
    submission.refuse(refusal, { instead: refusal.kind === "unreachable" && navigator.onLine ? UNCERTAIN : undefined });
  }
}

function explainDetails({ message, details }) {
  const unplaced = [];
  for (const { path, message: words } of details ?? []) {
    const field = FIELDS[path.split(".")[0]];
    if (field) mark(element(field), element(`${field}-error`), words);
    else unplaced.push(words);
  }
  if (unplaced.length > 0 || !details?.length) say(element("create-note"), [message, ...unplaced].join(": "));
  element("create-form").querySelector('[aria-invalid="true"]')?.focus();
}

function unmark() {
  say(element("create-note"), "");
  for (const field of Object.values(FIELDS)) mark(element(field), element(`${field}-error`), "");
}
