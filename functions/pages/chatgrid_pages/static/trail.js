/** What was done to keys, by whom and when: the owner's audit trail, of one key or of all. */

import { auditLog, Refusal } from "./api.js";
import { Notice } from "./notice.js";
import { announce, busy, element, isBusy, part, show } from "./page.js";
import { ofKey } from "./places.js";
import { fill } from "./times.js";

const PAGE_SIZE = 50;
/** A key's own entries lie among all others: so many pages are looked through at once. */
const PAGES_AT_ONCE = 10;
const LARGEST_PAGE = 100;
const ACTIONS = {
  "api_key.created": "created",
  "api_key.updated": "changed",
  "api_key.enabled": "resumed",
  "api_key.disabled": "paused",
  "api_key.rotated": "rotated",
  "api_key.secret_reissued": "given its secret anew",
  "api_key.previous_secret_ended": "rid of its previous secret",
  "api_key.revoked": "revoked",
  "api_key.exposed": "found in public",
};

export class Trail {
  #key = null;
  #cursor = null;
  #loading = null;

  /**
   * The parts of the page are called `prefix`-entries, -more, -notice and -none.
   *
   * `nameOf(id)` is what a key is called, or undefined; `ended` is called when the session is over.
   */
  constructor(prefix, { ended, signOut, nameOf }) {
    this.prefix = prefix;
    this.ended = ended;
    this.nameOf = nameOf;
    this.notice = new Notice(`${prefix}-notice`, { retry: () => this.#load(), signOut });
    this.#part("more").addEventListener("click", () => this.#more());
  }

  /** Shows the newest; of one key alone, if one is named. */
  open(key = null) {
    this.close();
    this.#key = key;
    return this.#load();
  }

  close() {
    this.#loading?.abort();
    this.#loading = null;
    this.#cursor = null;
    this.#key = null;
    this.notice.clear();
    this.#part("entries").replaceChildren();
    show(this.#part("more"), false);
    show(this.#part("none"), false);
  }

  #part(name) {
    return element(`${this.prefix}-${name}`);
  }

  async #more() {
    if (isBusy(this.#part("more"))) return;
    const before = this.#part("entries").children.length;
    busy(this.#part("more"), true);
    await this.#load();
    busy(this.#part("more"), false);
    const first = this.#part("entries").children[before];
    announce(`${this.#part("entries").children.length} entries`);
    if (this.#part("more").hidden) first?.focus();
  }

  async #load() {
    this.#loading?.abort();
    const mine = new AbortController();
    this.#loading = mine;
    this.#part("entries").setAttribute("aria-busy", "true");
    try {
      let found = 0;
      for (let page = 0; page < (this.#key ? PAGES_AT_ONCE : 1) && found < PAGE_SIZE; page += 1) {
        const told = await auditLog({ cursor: this.#cursor, limit: this.#key ? LARGEST_PAGE : PAGE_SIZE, signal: mine.signal });
        if (this.#loading !== mine) return;
        this.#cursor = told.cursor;
        const wanted = told.entries.filter((entry) => this.#key === null || entry.target.id === this.#key);
        this.#part("entries").append(...wanted.map((entry) => this.#item(entry)));
        found += wanted.length;
        // Nothing was done to a key before it was made.
        if (this.#key && wanted.some((entry) => entry.action === "api_key.created")) this.#cursor = null;
        if (this.#cursor === null) break;
      }
      this.notice.clear();
      show(this.#part("none"), this.#part("entries").children.length === 0 && this.#cursor === null);
      show(this.#part("more"), this.#cursor !== null);
    } catch (problem) {
      if (this.#loading !== mine) return;
      if (!(problem instanceof Refusal)) throw problem;
      if (problem.kind === "ended") this.ended();
      else this.notice.explain(problem);
    } finally {
      if (this.#loading === mine || this.#loading === null) this.#part("entries").setAttribute("aria-busy", "false");
      if (this.#loading === mine) this.#loading = null;
    }
  }

  #item(entry) {
    const item = element("entry").content.firstElementChild.cloneNode(true);
    const target = part(item, "key");
    if (this.#key === null) {
      target.href = ofKey(entry.target.id);
      target.textContent = this.nameOf(entry.target.id) ?? entry.changes.name?.to ?? entry.target.id;
    } else {
      target.replaceWith("The key");
    }
    part(item, "action").textContent = ACTIONS[entry.action] ?? entry.action;
    part(item, "actor").replaceChildren(...this.#actor(entry.actor));
    fill(part(item, "when"), entry.created_at, { showExact: true });
    const changes = entry.action === "api_key.created" ? [] : Object.entries(entry.changes);
    part(item, "changes").replaceChildren(...changes.map(change));
    show(part(item, "changes"), changes.length > 0);
    return item;
  }

  #actor({ type, key_id: keyId, source_ip: address }) {
    const from = address ? ` from ${address}` : "";
    if (type === "user") return [`by you${from}`];
    if (type === "operator") return ["by an operator"];
    if (type === "system") return ["by the system"];
    const link = document.createElement("a");
    link.href = ofKey(keyId);
    link.textContent = this.nameOf(keyId) ?? keyId;
    return ["with the key ", link, from];
  }
}

function change([field, { from, to }]) {
  const item = document.createElement("li");
  item.textContent = `${field.replaceAll("_", " ")}: ${shown(from)} → ${shown(to)}`;
  return item;
}

function shown(value) {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") return Object.entries(value).map(([name, one]) => `${name.replaceAll("_", " ")} ${one}`).join(", ") || "none";
  return String(value);
}
