/**
 * What is told of a request beside the minute of its credential: further limits, and credits.
 *
 * As text in the context: limits are set apart by `|`, and what is told of each by `;`: name,
 * limit, length in seconds, and of those that were asked what remains, when there is more, when the
 * whole is back.
 */

import { type Context, number, own, type RateLimitStatus, text } from "./context.js";

/** A limit that applies to a request. */
export interface AppliedLimit {
  /** `default`, `owner`, or `route:` with the route. */
  readonly name: string;
  /** Units in any time of its length. */
  readonly limit: number;
  readonly windowSeconds: number;
  /** Where it stands after the request; `null` when it was not asked. */
  readonly status: RateLimitStatus | null;
}

/** What there is beside the minute. */
export interface Beyond {
  /** All that apply, the credential's own first; empty where that is the only one. */
  readonly limits: readonly AppliedLimit[];
  /** Which limit refused, or `credits`; empty for an allowed request. */
  readonly refusedBy: string;
  /** Credits after the request; `null` for who has none to spend. */
  readonly creditsLeft: number | null;
}

export const DEFAULT = "default";
const CREDITS = "credits";
const MESSAGES: Readonly<Record<string, string>> = {
  [DEFAULT]: "The limit of this credential is used up",
  owner: "The limit of all keys and sessions of this user is used up",
  [CREDITS]: "No credits are left for this request",
};
const OF_ROUTE = "The limit of this route is used up";

/** What a context holds; what cannot be read there is passed over. */
export function readBeyond(context: Context): Beyond {
  const told = text(context, "limits");
  const applied = told === null ? [] : told.split("|").map(readLimit);
  return {
    limits: applied.filter((one) => one !== null),
    refusedBy: text(context, "refused_by") ?? "",
    creditsLeft: number(own(context, "credits")),
  };
}

function readLimit(told: string): AppliedLimit | null {
  const [name = "", ...rest] = told.split(";");
  const [limit, windowSeconds, remaining, moreS, resetS] = rest.map(number);
  if (!isNumber(limit) || !isNumber(windowSeconds)) return null;
  if (rest.length === 2) return { name, limit, windowSeconds, status: null };
  if (rest.length !== 5 || !isNumber(remaining) || !isNumber(moreS) || !isNumber(resetS)) {
    return null;
  }
  return { name, limit, windowSeconds, status: { limit, remaining, moreS, resetS } };
}

/** The body of a 429: which limit it was, where more than one could have refused. */
export function limitRefusal({ refusedBy }: Beyond): string {
  const [code, message] =
    refusedBy === CREDITS
      ? ["credits_exhausted", "Credits exhausted"]
      : ["rate_limit_exceeded", "Rate limit exceeded"];
  const envelope = { object: "error", status: 429, code, message };
  if (refusedBy === "") return JSON.stringify(envelope);
  const why = Object.hasOwn(MESSAGES, refusedBy) ? MESSAGES[refusedBy] : OF_ROUTE;
  const details = [{ code: "limit_exceeded", path: refusedBy, message: why }];
  return JSON.stringify({ ...envelope, details });
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}
