/** What belongs on a response: where the caller stands, and what a browser's script may read. */

import type { RateLimitStatus } from "./context.js";

export type Headers = Readonly<Record<string, string>>;

const WINDOW_S = 60;

/** Response headers that a browser's script may read. */
const EXPOSED_HEADERS =
  "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, " +
  "RateLimit-Policy, RateLimit, Retry-After, WWW-Authenticate, Idempotency-Replayed";

/**
 * The limit's headers: the well-known `X-RateLimit-*`, and the fields of
 * draft-ietf-httpapi-ratelimit-headers.
 *
 * @param figures where the caller stands; `null` when nobody told, which makes no headers.
 * @param retryAfterS the wait in seconds that a refusal tells; `null` for an allowed request.
 * @param nowS Unix time in seconds.
 */
export function rateLimitHeaders(
  figures: RateLimitStatus | null,
  retryAfterS: number | null,
  nowS: number,
): Headers {
  if (figures === null) return {};
  let untilMoreS = Math.max(0, figures.moreS - Math.trunc(nowS));
  // The authorizer's clock and this one may differ.
  if (retryAfterS !== null) untilMoreS = Math.min(untilMoreS, retryAfterS);
  return {
    "X-RateLimit-Limit": String(figures.limit),
    "X-RateLimit-Remaining": String(figures.remaining),
    "X-RateLimit-Reset": String(figures.resetS),
    "RateLimit-Policy": `"default";q=${figures.limit};w=${WINDOW_S}`,
    RateLimit: `"default";r=${figures.remaining};t=${untilMoreS}`,
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
