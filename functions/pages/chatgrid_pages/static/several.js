/** The dialog that pauses or revokes several keys, one after the other, and tells of each what came of it. */

import { changeKey, Refusal, revokeKey } from "./api.js";
import { announce, busy, element, isBusy, mark, say, show } from "./page.js";
import { inWords } from "./words.js";

const ACTIONS = {
  pause: {
    title: (count) => `Pause ${count}?`,
    text: "They are refused until they are resumed, from the very next request on.",
    button: "Pause keys",
    done: "paused",
    work: (key) => changeKey(key.id, { enabled: false }),
  },
  revoke: {
    title: (count) => `Revoke ${count}?`,
    text: "They are refused from the very next request on. This is final.",
    button: "Revoke keys",
    done: "revoked",
    work: (key, reason) => revokeKey(key.id, reason),
  },
};
/** Refusals after which the next key would get the same. */
const HOPELESS = new Set(["limited", "unavailable", "unreachable", "forbidden"]);

let action = null;
let keys = [];
let callbacks;
/** It counts, so that work stops when the dialog is closed. */
let form = 0;

/** `paused(key)` and `revoked(id)` are told of each; `finished(words)` when the dialog closes after work; `ended`: the session is over. */
export function prepare(told) {
  callbacks = told;
  element("several-cancel").addEventListener("click", close);
  element("several").addEventListener("close", () => element("several").open || forget());
  element("several-form").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  element("several-confirm").addEventListener("input", () => element("several-confirm-error").hidden || confirmed());
}

export function open(wanted, chosen) {
  forget();
  action = ACTIONS[wanted];
  keys = chosen;
  const final = action === ACTIONS.revoke;
  element("several-title").textContent = action.title(keys.length === 1 ? "1 key" : `${keys.length} keys`);
  element("several-text").textContent = action.text;
  element("several-submit").textContent = action.button;
  element("several-submit").className = final ? "danger" : "primary";
  element("several-keys").replaceChildren(...keys.map(item));
  element("several-progress").max = keys.length;
  element("several-number").textContent = String(keys.length);
  show(element("several-final"), final);
  element("several").showModal();
  element(final ? "several-confirm" : "several-submit").focus();
}

export function close() {
  element("several").close();
  forget();
}

/** Closes the dialog for good: nothing more is done for somebody who is gone. */
export function abandon() {
  action = null;
  close();
}

/** Nothing of a key stays in the closed dialog. */
function forget() {
  form += 1;
  const words = element("several-result").textContent;
  const worked = action !== null && words !== "";
  action = null;
  keys = [];
  element("several-form").reset();
  element("several-keys").replaceChildren();
  element("several-progress").value = 0;
  element("several-cancel").textContent = "Cancel";
  busy(element("several-submit"), false);
  say(element("several-result"), "");
  mark(element("several-confirm"), element("several-confirm-error"), "");
  for (const id of ["several-progress", "several-final"]) show(element(id), false);
  for (const id of ["several-submit", "several-text"]) show(element(id));
  if (worked) callbacks.finished(words);
}

async function submit() {
  if (isBusy(element("several-submit")) || element("several-submit").hidden || !confirmed()) return;
  const [mine, doing, reason] = [form, action, element("several-reason").value];
  busy(element("several-submit"), true);
  element("several-cancel").textContent = "Stop";
  show(element("several-final"), false);
  show(element("several-progress"));
  let [succeeded, hopeless] = [0, false];
  for (const [place, key] of keys.entries()) {
    const told = hopeless ? "not tried" : await once(doing, key, reason);
    if (told === null) return;
    if (mine !== form) return;
    if (told.ok) succeeded += 1;
    hopeless ||= Boolean(told.hopeless);
    result(place, told);
    element("several-progress").value = place + 1;
    say(element("several-result"), `${succeeded} of ${keys.length} ${doing.done}.`);
  }
  busy(element("several-submit"), false);
  for (const id of ["several-submit", "several-text"]) show(element(id), false);
  element("several-cancel").textContent = "Close";
  element("several-cancel").focus();
  announce(element("several-result").textContent);
}

/** What came of one key: `{ok, words}`; null when the session is over. */
async function once(doing, key, reason) {
  try {
    const changed = await doing.work(key, reason);
    if (doing === ACTIONS.revoke) callbacks.revoked(key.id);
    else callbacks.paused(changed);
    return { ok: true, words: doing.done };
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    if (problem.kind === "ended") {
      callbacks.ended();
      return null;
    }
    if (problem.kind === "missing") {
      callbacks.revoked(key.id);
      return { ok: doing === ACTIONS.revoke, words: "had been revoked already" };
    }
    const why = problem.kind === "invalid" ? (problem.details?.[0]?.message ?? problem.message) : inWords(problem).title;
    return { ok: false, words: `not ${doing.done}: ${why}`, hopeless: HOPELESS.has(problem.kind) };
  }
}

function confirmed() {
  if (action !== ACTIONS.revoke) return true;
  const right = element("several-confirm").value.trim() === String(keys.length);
  mark(element("several-confirm"), element("several-confirm-error"), right ? "" : `Type ${keys.length}, the number of keys.`);
  if (!right) element("several-confirm").focus();
  return right;
}

function item(key) {
  const node = document.createElement("li");
  const name = document.createElement("bdi");
  const prefix = document.createElement("code");
  const told = document.createElement("span");
  name.className = "name";
  name.textContent = key.name;
  prefix.className = "prefix";
  prefix.textContent = `${key.key_prefix}…`;
  told.dataset.part = "result";
  node.append(name, " ", prefix, " ", told);
  return node;
}

function result(place, told) {
  const node = element("several-keys").children[place].querySelector('[data-part="result"]');
  node.textContent = told.words ?? told;
  node.className = told.ok ? "fine" : "error";
}
