/** The page: somebody is signed in and sees their keys, or nobody is and the page offers to sign in. */

import * as activity from "./activity.js";
import * as key from "./key.js";
import * as keyForm from "./key-form.js";
import * as keys from "./keys.js";
import { confirm, element, say, show } from "./page.js";
import * as places from "./places.js";
import * as quickStart from "./quick-start.js";
import * as reveal from "./reveal.js";
import * as revoke from "./revoke.js";
import * as rotate from "./rotate.js";
import * as session from "./session.js";
import { settings } from "./settings.js";
import * as several from "./several.js";
import * as signIn from "./sign-in.js";

const DIALOGS = [keyForm, revoke, rotate, several];

/** Undefined until it is known who is here, null when nobody is. */
let userId;
/** What somebody whose session ends is told: nothing, when it was they who ended it. */
let farewell = session.ENDED;
/** Where somebody is; null while nobody is. */
let place = null;

/** Shows what belongs to this session, and takes away what belonged to the last one. */
function enter(current, problem = null) {
  const before = userId;
  const now = current?.user?.id ?? null;
  if (now === before) return;
  userId = now;
  show(element("starting"), false);
  for (const dialog of DIALOGS) dialog.abandon();
  keys.close();
  key.close();
  activity.close();
  confirm("");
  show(element("views"), false);
  if (before) places.forget();
  place = null;
  show(element("account"), now !== null);
  say(element("account-email"), current?.user?.email);
  const moveFocus = before !== undefined;
  const words = before ? farewell : problem;
  // A key that has just been made is shown until it is stored, whoever is here by then.
  reveal.whenStored(() => {
    if (now === null) {
      signIn.open(words, { moveFocus });
    } else {
      signIn.close();
      arrive({ moveFocus });
    }
  });
}

/** Shows the place that the address names. */
function arrive({ moveFocus }) {
  const wanted = places.here() ?? { name: "keys" };
  const before = place;
  if (before?.name === wanted.name && before.id === wanted.id) return;
  place = wanted;
  for (const dialog of DIALOGS) dialog.close();
  keys.hide();
  key.close();
  activity.close();
  confirm("");
  show(element("views"));
  for (const view of element("views").querySelectorAll("[data-view]")) {
    if (view.dataset.view === wanted.name) view.setAttribute("aria-current", "page");
    else view.removeAttribute("aria-current");
  }
  if (wanted.name === "activity") activity.open({ moveFocus });
  else if (wanted.name === "key") key.open({ id: wanted.id, moveFocus });
  else keys.open({ moveFocus, from: before?.id });
}

function changed(one) {
  keys.update(one);
  key.update(one);
}

function prepare() {
  const ended = () => leave(session.ENDED);
  const signOut = () => leave(null);
  element("sign-out").addEventListener("click", signOut);
  signIn.prepare();
  reveal.prepare();
  keys.prepare({ ended, signOut });
  key.prepare({ changed, nameOf: keys.nameOf, ended, signOut });
  activity.prepare({ nameOf: keys.nameOf, ended, signOut });
  keyForm.prepare({
    created({ raw_key: rawKey, ...known }) {
      keys.add(known);
      reveal.open({ name: known.name, rawKey, done: () => keys.focusOn(known.id) });
    },
    changed(one) {
      changed(one);
      confirm(`${one.name} is changed.`);
    },
    ended,
  });
  revoke.prepare({
    revoked(id, words) {
      keys.remove(id, words);
      key.revoked(id);
    },
    ended,
  });
  rotate.prepare({
    rotated({ raw_key: rawKey, ...known }) {
      changed(known);
      confirm(rawKey ? `${known.name} has a new secret.` : `${known.name} was rotated before, and its new secret has been used or replaced since.`);
      if (rawKey) reveal.open({ name: known.name, rawKey, done: () => element("key-rotate").focus() });
    },
    ended,
  });
  addEventListener("hashchange", () => {
    if (userId && places.here()) reveal.whenStored(() => arrive({ moveFocus: true }));
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the fragment says where in the page somebody is
    element("main").focus();
  });
}

async function leave(words) {
  farewell = words;
  await session.signOut();
  // Where there was no session left to end, nobody has told the page.
  enter(null);
  farewell = session.ENDED;
}

async function start() {
  element("api-address").textContent = settings.apiUrl.replace(/\/$/, "");
  if (settings.logoUrl) element("logo").src = settings.logoUrl;
  show(element(settings.logoUrl ? "logo" : "mark"));
  if (settings.documentationUrl) element("documentation").href = settings.documentationUrl;
  show(element("documentation"), Boolean(settings.documentationUrl));
  quickStart.prepare();
  if (!settings.supabaseUrl) {
    show(element("starting"), false);
    element("not-configured-address").textContent = settings.pageUrl;
    show(element("not-configured"));
    return;
  }
  prepare();
  const { session: current, problem } = await session.start((changed) => enter(changed));
  enter(current, problem);
}

start();
