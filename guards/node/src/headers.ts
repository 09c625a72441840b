/** What belongs on a response: where the caller stands, and what a browser's script may read. */

import { type AppliedLimit, type Beyond, DEFAULT } from "./beyond.js";
import type { RateLimitStatus } from "./context.js";

export type Headers = Readonly<Record<string, string>>;

const WINDOW_S = 60;

/** Response headers that a browser's script may read. */
const EXPOSED_HEADERS =
  "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Credits-Remaining, " +
  "RateLimit-Policy, RateLimit, Retry-After, WWW-Authenticate, Idempotency-Replayed";

/**
 * The limits' headers: the well-known `X-RateLimit-*`, and the fields of
 * draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` names each limit that applies,
 * `RateLimit` what remains of those that were asked. `X-RateLimit-*` is the one with the least left.
 *
 * @param figures where the caller stands with that one; `null` when nobody told, which makes no
 *   headers.
 * @param beyond further limits and credits.
 * @param retryAfterS the wait in seconds that a refusal tells; `null` for none.
 * @param nowS Unix time in seconds.
 */
export function rateLimitHeaders(
  figures: RateLimitStatus | null,
  beyond: Beyond,
  retryAfterS: number | null,
  nowS: number,
): Headers {
  if (figures === null) return {};
  const own = { name: DEFAULT, limit: figures.limit, windowSeconds: WINDOW_S, status: figures };
  const limits: readonly AppliedLimit[] = beyond.limits.length > 0 ? beyond.limits : [own];
  const standing = limits.flatMap(({ name, status }) => {
    if (status === null) return [];
    let untilMoreS = Math.max(0, status.moreS - Math.trunc(nowS));
    // The authorizer's clock and this one may differ.
    if (retryAfterS !== null) untilMoreS = Math.min(untilMoreS, retryAfterS);
    return [`"${name}";r=${status.remaining};t=${untilMoreS}`];
  });
  const left = beyond.creditsLeft;
  return {
    "X-RateLimit-Limit": String(figures.limit),
    "X-RateLimit-Remaining": String(figures.remaining),
    "X-RateLimit-Reset": String(figures.resetS),
    "RateLimit-Policy": limits
      .map((one) => `"${one.name}";q=${one.limit};w=${one.windowSeconds}`)
      .join(", "),
    RateLimit: standing.join(", "),
    ...(left === null ? {} : { "X-Credits-Remaining": String(left) }),
  };
}

/** What lets a browser's script of this origin, or of any (`*`), read the response. */
export function corsHeaders(allowOrigin: string): Headers {
  const headers = {
    "Access-Control-Allow-Origin": allowOrigin,
    "Access-Control-Expose-Headers": EXPOSED_HEADERS,
  };
  return allowOrigin === "*" ? headers : { ...headers, Vary: "Origin" };
}
