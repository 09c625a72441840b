/** The dialog that makes a key or changes one. It says at once what it knows to be wrong; the rest is the API's to say. */

import { changeKey, createKey, Refusal } from "./api.js";
import { CHECKS } from "./checks.js";
import { Submission } from "./form.js";
import * as lifetimes from "./lifetimes.js";
import { element, mark, say, show } from "./page.js";
import * as said from "./said.js";
import { settings } from "./settings.js";

/** What the API, or the page, may find wrong: the control that is marked is called so too. */
const FIELDS = ["name", "kind", "allowed_origins", "scopes", "environment", "rate_limit", "expires_at", "allowed_ips", "permissions", "self_rotation", "credits", "amount", "metadata"];
const UNCERTAIN = "There was no answer, so the key may have been created or not. Close this and look at the list before you try again.";

let submission;
let callbacks;
/** The key that is changed; null while one is made. */
let key = null;
/** They count, so that an answer is known to be for the form that is open, and for the person who is here. */
let form = 0;
let visit = 0;

/** `created` gets the new key, its raw form included, `changed` a changed one; `ended`: the session is over. */
export function prepare({ created, changed, ended }) {
  callbacks = { created, changed, ended };
  submission = new Submission({ button: element("create-submit"), note: element("create-note") });
  element("rate_limit-hint").textContent = `Up to ${settings.limitCeiling.toLocaleString("en")}; ${settings.defaultLimit.toLocaleString("en")} unless you say otherwise.`;
  element("rate_limit").placeholder = String(settings.defaultLimit);
  lifetimes.prepare();
  for (const id of ["kind", "refill"]) element(id).addEventListener("change", follow);
  element("create-cancel").addEventListener("click", close);
  element("create").addEventListener("close", () => element("create").open || empty());
  element("create-form").addEventListener("input", (event) => mend(event.target));
  // Leaving a field that is wrong is told at once; one that nothing was typed into is not.
  element("create-form").addEventListener("change", ({ target }) => CHECKS[target.name] && check(target.name));
  element("create-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
}

export function open() {
  empty();
  start(null);
}

/** Shows what a key is now, to be changed. */
export function edit(chosen) {
  empty();
  start(chosen);
  said.fill(chosen);
  follow();
  for (const more of folds()) more.open = [...more.querySelectorAll("input, textarea")].some((control) => (control.type === "checkbox" ? control.checked : control.value !== ""));
}

function start(chosen) {
  key = chosen;
  element("create-title").textContent = key ? "Change this key" : "Create an API key";
  submission.label = key ? "Save changes" : "Create key";
  submission.reset();
  for (const field of ["environment", "kind-field"]) show(element(field), key === null);
  lifetimes.open(key);
  follow();
  element("create").showModal();
  element("name").focus();
}

export function close() {
  element("create").close();
  empty();
}

/** A form for the next key: what is still on its way is not this form's any more. */
function empty() {
  form += 1;
  key = null;
  element("create-form").reset();
  for (const more of folds()) more.open = false;
  submission.reset();
  unmark();
  lifetimes.open(null);
  follow();
}

function folds() {
  return element("create-form").querySelectorAll("details");
}

/** Closes the dialog for good: an answer that is still on its way is nobody's any more. */
export function abandon() {
  visit += 1;
  close();
}

async function submit() {
  if (submission.busy) return;
  unmark();
  const wrong = Object.keys(CHECKS).filter((field) => !check(field));
  if (wrong.length > 0) {
    focusWrong();
    return;
  }
  const changing = key;
  const told = wanted();
  if (changing && Object.keys(told).length === 0) {
    close();
    return;
  }
  submission.start();
  const [mine, here] = [form, visit];
  try {
    const done = changing ? await changeKey(changing.id, told) : await createKey(told);
    if (here !== visit) return;
    if (mine === form) close();
    // However late: the raw key is in this answer and nowhere else.
    if (changing) callbacks.changed(done);
    else callbacks.created(done);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (here !== visit) return;
    if (problem.kind === "ended") callbacks.ended();
    else if (mine === form) explain(problem, changing);
  }
}

/** What the form says: all of it for a new key, what differs for one that is changed. */
function wanted() {
  const form = new FormData(element("create-form"));
  const told = Object.entries(said.said(form)).filter(([field]) => asked(field));
  const expires = asked("expiry") ? lifetimes.said() : {};
  if (key) return { ...said.changes(Object.fromEntries(told), key), ...expires };
  // Left out: the deployment's own.
  const given = told.filter(([field, value]) => value !== null && value !== false && !(field === "metadata" && Object.keys(value).length === 0));
  return { ...Object.fromEntries(given), kind: kind(), environment: form.get("environment"), ...expires };
}

function kind() {
  return key?.kind ?? element("kind").value;
}

/** Shows what may be said of such a key. */
function follow() {
  for (const node of element("create-form").querySelectorAll("[data-kinds]")) show(node, node.dataset.kinds.split(" ").includes(kind()));
  show(element("amount-row"), element("refill").value !== "");
  element("kind-hint").textContent = element("kind").selectedOptions[0].dataset.hint;
}

/** Whether the form asks for this now. */
function asked(field) {
  return element(field).closest("[hidden]") === null;
}

/** The name of the field that a control belongs to. */
function fieldOf(control) {
  return { expiry: "expires_at", refill: "credits" }[control.name] ?? control.name;
}

/** Marks a field that is known to be wrong; whether it is right as far as is known. */
function check(field) {
  const wrong = asked(field) ? CHECKS[field](new FormData(element("create-form"))) : "";
  mark(element(field), element(`${field}-error`), wrong);
  return wrong === "";
}

/** What was marked is looked at again with each letter; what the API found is given another try. */
function mend(control) {
  const field = fieldOf(control);
  if (element(`${field}-error`).hidden) return;
  if (CHECKS[field]) check(field);
  else mark(element(field), element(`${field}-error`), "");
}

function explain(refusal, changing) {
  if (refusal.kind === "invalid") {
    submission.reset();
    explainDetails(refusal);
  } else if (refusal.kind === "conflict") {
    submission.refuse(refusal, { instead: `${refusal.message}. ${changing ? "" : "Revoke one that is not needed first."}` });
  } else if (refusal.kind === "missing") {
    submission.refuse(refusal, { instead: "This key is no more." });
  } else {
    const uncertain = refusal.kind === "unreachable" && navigator.onLine && !changing;
    submission.refuse(refusal, { instead: uncertain ? UNCERTAIN : undefined });
  }
}

function explainDetails({ message, details }) {
  const unplaced = [];
  for (const { path, message: words } of details ?? []) {
    const field = path.startsWith("credits.refill") ? "amount" : FIELDS.find((known) => known === path.split(".")[0]);
    if (field) mark(element(field), element(`${field}-error`), words);
    else unplaced.push(words);
  }
  if (unplaced.length > 0 || !details?.length) say(element("create-note"), [message, ...unplaced].join(": "));
  focusWrong();
}

function focusWrong() {
  const wrong = element("create-form").querySelector('[aria-invalid="true"]');
  const folded = wrong?.closest("details");
  if (folded) folded.open = true;
  wrong?.focus();
}

function unmark() {
  say(element("create-note"), "");
  for (const field of FIELDS) mark(element(field), element(`${field}-error`), "");
}
