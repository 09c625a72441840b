/** What a refusal means to the person in front of the page. */

import { settings } from "./settings.js";

const AGAIN_SECONDS = 2;
const LONGEST_WAIT_SECONDS = 60;

/**
 * `{title, text, waitSeconds, action}` for a refusal.
 *
 * waitSeconds: when another try makes sense by itself, or null.
 * attempts: how many tries have failed in a row; without word from the server, the waits grow with it.
 */
export function inWords(refusal, { attempts = 1 } = {}) {
  const growing = Math.min(AGAIN_SECONDS ** attempts, LONGEST_WAIT_SECONDS);
  switch (refusal.kind) {
    case "unreachable":
      return navigator.onLine
        ? { title: `${settings.name} cannot be reached`, text: "There was no answer. Your keys are not affected by this page.", waitSeconds: growing }
        : { title: "You are offline", text: "The page goes on by itself as soon as there is a connection.", waitSeconds: null };
    case "limited":
      if (refusal.details?.some(({ path }) => path === "creations")) {
        return {
          title: "Too many new keys",
          text: `Your account has made as many keys as it may in an hour. The next one is possible in ${Math.ceil((refusal.retryAfterSeconds ?? LONGEST_WAIT_SECONDS) / 60)} minutes.`,
          waitSeconds: null,
        };
      }
      return {
        title: "Too many requests",
        text: "Your account has used up its requests for this minute.",
        waitSeconds: refusal.retryAfterSeconds ?? growing,
      };
    case "unavailable":
      return {
        title: `${settings.name} is unavailable for a moment`,
        text: "The service cannot look after keys right now. Nothing has been lost.",
        waitSeconds: Math.max(refusal.retryAfterSeconds ?? 0, growing),
      };
    case "forbidden":
      return {
        title: "This account may not manage keys",
        text: `${refusal.message}. Sign in with another account, or ask whoever runs this API.`,
        waitSeconds: null,
        action: "sign-out",
      };
    default:
      return {
        title: "Something went wrong on our side",
        text: refusal.requestId ? `If it happens again, report it with this number: ${refusal.requestId}` : "Try again; if it happens again, report it.",
        waitSeconds: null,
      };
  }
}
