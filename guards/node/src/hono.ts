/**
 * The guard as middleware of Hono, whose adapter (`hono/aws-lambda`) keeps the event in `c.env`.
 *
 * Outside of Lambda there is no event, and nothing gets through. Hono's types are described here
 * by what is used of them, so the package needs nothing of it.
 */

import { type Caller, own, type RateLimitStatus } from "./context.js";
import { type GuardOptions, inspect } from "./inspect.js";

/** What the middleware leaves for the app: `c.get("caller")`, `c.get("rateLimit")`. */
export interface GuardVariables {
  caller: Caller;
  rateLimit: RateLimitStatus | null;
}

/** What is used of Hono's context. */
interface HonoContext {
  readonly env: unknown;
  set(name: string, value: unknown): void;
  header(name: string, value: string, options?: { append?: boolean }): void;
}

/**
 * Middleware that lets allowed requests through only. It must be the app's first:
 * `app.use(guard({ allowOrigin }))`.
 */
export function guard(
  options: GuardOptions = {},
): (c: HonoContext, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (c, next) => {
    const admission = inspect(own(c.env, "event"), options);
    if (admission.caller === null) {
      return new Response(admission.body, {
        status: admission.status,
        headers: { "Content-Type": "application/json", ...admission.headers },
      });
    }
    c.set("caller", admission.caller);
    c.set("rateLimit", admission.figures);
    await next();
    for (const [name, value] of Object.entries(admission.headers)) {
      c.header(name, value, { append: name === "Vary" });
    }
    return undefined;
  };
}
