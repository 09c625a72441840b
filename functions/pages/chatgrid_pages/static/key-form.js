/** The dialog that makes a key or changes one. It says at once what it knows to be wrong; the rest is the API's to say. */

import { changeKey, createKey, Refusal } from "./api.js";
import { CHECKS } from "./checks.js";
import { Submission } from "./form.js";
import { element, mark, say, show } from "./page.js";
import { settings } from "./settings.js";
import { exact } from "./times.js";

const DAY_SECONDS = 86_400;
/** The API's names for what it may find wrong → the control that is marked. */
const FIELDS = {
  name: "name",
  scopes: "scopes",
  environment: "environment",
  rate_limit: "rate_limit",
  expires_at: "expires_at",
  allowed_ips: "allowed_ips",
  permissions: "permissions",
};
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
  offerLifetimes();
  element("expiry").addEventListener("change", followExpiry);
  element("expires_at").addEventListener("input", followExpiry);
  element("create-cancel").addEventListener("click", close);
  element("create").addEventListener("close", () => element("create").open || empty());
  element("create-form").addEventListener("input", (event) => mend(event.target));
  // Leaving a field that is wrong is told at once; one that nothing was typed into is not.
  element("create-form").addEventListener("change", (event) => event.target.name !== "expiry" && check(event.target.name));
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
  element("name").value = chosen.name;
  element("rate_limit").value = String(chosen.rate_limit);
  for (const box of element("scopes").querySelectorAll("input")) box.checked = chosen.scopes.includes(box.value);
  element("allowed_ips").value = chosen.allowed_ips?.join("\n") ?? "";
  element("permissions").value = chosen.permissions?.join("\n") ?? "";
  element("expiry").value = "same";
  followExpiry();
}

function start(chosen) {
  key = chosen;
  element("create-title").textContent = key ? "Change this key" : "Create an API key";
  submission.label = key ? "Save changes" : "Create key";
  submission.reset();
  show(element("environment"), key === null);
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
  const same = element("expiry").querySelector('[value="same"]');
  same.disabled = same.hidden = true;
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
  const wrong = Object.keys(CHECKS).filter((field) => !check(field));
  if (wrong.length > 0) {
    focusWrong();
    return;
  }
  const changing = key;
  const said = wanted();
  if (changing && Object.keys(said).length === 0) {
    close();
    return;
  }
  submission.start();
  const [mine, here] = [form, visit];
  try {
    const done = changing ? await changeKey(changing.id, said) : await createKey(said);
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
  const limit = form.get("rate_limit").trim();
  const said = {
    name: form.get("name"),
    scopes: form.getAll("scopes"),
    rate_limit: limit ? Number(limit) : null,
    allowed_ips: lines(form.get("allowed_ips")),
    permissions: lines(form.get("permissions")),
  };
  // What is left out is the deployment's to say, for a new key, or stays.
  const expires = ["same", "default"].includes(element("expiry").value) ? {} : { expires_at: expiry() };
  if (key) {
    const differing = Object.entries(said).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(key[field]));
    return { ...Object.fromEntries(differing), ...expires };
  }
  // Left out: the deployment's own.
  const given = Object.entries(said).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(given), environment: form.get("environment"), ...expires };
}

/** One in a line, or apart by commas or blanks; null for none. */
function lines(text) {
  const found = text.split(/[\s,]+/).filter(Boolean);
  return found.length > 0 ? found : null;
}

function expiry() {
  const choice = element("expiry").value;
  if (choice === "same") return key?.expires_at ?? null;
  if (choice === "default") return inSeconds(settings.defaultLifetime || settings.longestLifetime);
  if (choice === "never") return null;
  if (choice === "exact") {
    const chosen = element("expires_at").value;
    return chosen ? new Date(chosen).toISOString() : null;
  }
  return inSeconds(Number(choice) * DAY_SECONDS);
}

function inSeconds(seconds) {
  return seconds ? new Date(Date.now() + seconds * 1000).toISOString() : null;
}

/** The default is the API's own; what is beyond its ceiling is not offered. */
function offerLifetimes() {
  const { defaultLifetime, longestLifetime } = settings;
  const usual = defaultLifetime || longestLifetime;
  const days = Math.round((usual / DAY_SECONDS) * 10) / 10;
  for (const option of [...element("expiry").options]) {
    if (option.value === "default") option.textContent = usual ? `In ${days} ${days === 1 ? "day" : "days"} (the default)` : "Never (the default)";
    else if (option.value === "never" ? longestLifetime || !usual : longestLifetime && option.value * DAY_SECONDS > longestLifetime) option.remove();
  }
}

function followExpiry() {
  const same = element("expiry").querySelector('[value="same"]');
  same.disabled = same.hidden = key === null;
  const usual = element("expiry").querySelector('[value="default"]');
  usual.disabled = usual.hidden = key !== null && Boolean(settings.defaultLifetime || settings.longestLifetime);
  show(element("expires_at-row"), element("expiry").value === "exact");
  const instant = expiry();
  const exactly = element("expiry").value === "exact";
  element("expires_at-hint").textContent = instant ? exact(instant) : exactly ? "In your own time zone." : "Good until it is revoked.";
}

/** The name of the field that a control belongs to. */
function fieldOf(control) {
  return control.name === "expiry" ? "expires_at" : control.name;
}

/** Marks a field that is known to be wrong; whether it is right as far as is known. */
function check(field) {
  const wrong = CHECKS[field]?.(new FormData(element("create-form"))) ?? "";
  mark(element(field), element(`${field}-error`), wrong);
  return wrong === "";
}

/** What was marked is looked at again with each letter; what the API found is given another try. */
function mend(control) {
  const field = fieldOf(control);
  if (element(`${field}-error`).hidden) return;
  check(field);
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
    const field = FIELDS[path.split(".")[0]];
    if (field) mark(element(field), element(`${field}-error`), words);
    else unplaced.push(words);
  }
  if (unplaced.length > 0 || !details?.length) say(element("create-note"), [message, ...unplaced].join(": "));
  focusWrong();
}

function focusWrong() {
  element("create-form").querySelector('[aria-invalid="true"]')?.focus();
}

function unmark() {
  say(element("create-note"), "");
  for (const field of Object.values(FIELDS)) mark(element(field), element(`${field}-error`), "");
}
