/** The page: somebody is signed in and sees their keys, or nobody is and the page offers to sign in. */

import * as keys from "./keys.js";
import { element, say, show } from "./page.js";
import * as reveal from "./reveal.js";
import * as session from "./session.js";
import { settings } from "./settings.js";
import * as signIn from "./sign-in.js";

/** Undefined until it is known who is here, null when nobody is. */
let userId;
/** What somebody whose session ends is told: nothing, when it was they who ended it. */
let farewell = session.ENDED;

/** Shows what belongs to this session, and takes away what belonged to the last one. */
function enter(current, problem = null) {
  const before = userId;
  const now = current?.user?.id ?? null;
  if (now === before) return;
  userId = now;
  show(element("starting"), false);
  keys.close();
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
      keys.open({ moveFocus });
    }
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
  element("start-here-line").textContent = `curl ${settings.apiUrl}me -H "Authorization: Bearer $CHATGRID_API_KEY"`;
  if (!settings.supabaseUrl) {
    show(element("starting"), false);
    element("not-configured-address").textContent = settings.pageUrl;
    show(element("not-configured"));
    return;
  }
  element("sign-out").addEventListener("click", () => leave(null));
  signIn.prepare();
  keys.prepare({ ended: () => leave(session.ENDED), signOut: () => leave(null) });
  const { session: current, problem } = await session.start((changed) => enter(changed));
  enter(current, problem);
}

start();
