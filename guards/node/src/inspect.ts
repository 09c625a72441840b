/**
 * The second lock, and the renderer.
 *
 * API Gateway has asked the authorizer already. The guard trusts nothing but the context that it
 * left: no context, a verdict other than *allowed*, or a scope or permissions that do not cover this
 * method and resource, and the handler does not run, whatever API Gateway did.
 */

import { limitRefusal, readBeyond } from "./beyond.js";
import {
  type Caller,
  FORBIDDEN,
  isLimited,
  own,
  type RateLimitStatus,
  readBrokenRule,
  readCaller,
  readFigures,
  readRetryAfterS,
  REFUSED,
  UNAVAILABLE,
} from "./context.js";
import { readEvent } from "./events.js";
import { corsHeaders, type Headers, rateLimitHeaders } from "./headers.js";
import { covers, requiredPermission } from "./permissions.js";
import { requiredScope, type ScopeRule } from "./scopes.js";

export interface GuardOptions {
  /** The one browser origin that may call, or `*`, the default. */
  readonly allowOrigin?: string | undefined;
  /** Gives the scope that a method and a resource need; the authorizer's rule by default. */
  readonly requiredScope?: ScopeRule | undefined;
  /** The deployment's own permissions by route (`POST /exports`), as the authorizer has them. */
  readonly routePermissions?: Readonly<Record<string, string>> | undefined;
  /** Unix time in milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** What the guard found: a caller to go on with, or a response to give instead. */
export type Admission = {
  /** Where the caller stands; `null` when the context told none. */
  readonly figures: RateLimitStatus | null;
  /** What belongs on the response, whoever gives it. */
  readonly headers: Headers;
} & (
  | { readonly caller: Caller }
  | { readonly caller: null; readonly status: number; readonly body: string }
);

/** Decide from a proxy event alone whether its handler may run. Never throws by itself. */
export function inspect(event: unknown, options: GuardOptions = {}): Admission {
  const { context, method, resource } = readEvent(event);
  const figures = readFigures(context);
  const retryAfterS = readRetryAfterS(context);
  const beyond = readBeyond(context);
  const nowS = (options.now ?? Date.now)() / 1000;
  const headers = {
    ...corsHeaders(options.allowOrigin ?? "*"),
    ...rateLimitHeaders(figures, beyond, retryAfterS, nowS),
  };
  const respond = (status: number, body: string, more: Headers): Admission => ({
    caller: null,
    figures,
    status,
    headers: { ...headers, "Cache-Control": "no-store", ...more },
    body,
  });
  const refuse = (status: number, code: string, message: string, more: Headers = {}): Admission =>
    respond(status, JSON.stringify({ object: "error", status, code, message }), more);
  if (isLimited(context)) {
    const wait = retryAfterS === null ? {} : { "Retry-After": String(retryAfterS) };
    return respond(429, limitRefusal(beyond), wait);
  }
  const verdict = own(context, "verdict");
  if (verdict === REFUSED) {
    const told = own(context, "message");
    const message = typeof told === "string" && told !== "" ? told : "Missing or invalid token";
    return refuse(401, "unauthorized", message, { "WWW-Authenticate": "Bearer" });
  }
  if (verdict === UNAVAILABLE) {
    return refuse(503, "service_unavailable", "Service unavailable", { "Retry-After": "1" });
  }
  // Without these API Gateway has matched nothing; without a verdict it asked nobody.
  if (method === null || resource === null) {
    return refuse(403, "forbidden", "Access denied");
  }
  const needed = (options.requiredScope ?? requiredScope)(method, resource);
  const caller = readCaller(context);
  const permission = requiredPermission(method, resource, needed, options.routePermissions ?? {});
  if (caller?.scopes.includes(needed)) {
    if (covers(caller.permissions, permission)) return { caller, figures, headers };
    return refuse(403, "forbidden", forbidden("permission", needed, permission));
  }
  if (caller !== null || verdict === FORBIDDEN) {
    return refuse(403, "forbidden", forbidden(readBrokenRule(context), needed, permission));
  }
  return refuse(403, "forbidden", "Access denied");
}

function forbidden(broken: string | null, scope: string, permission: string | null): string {
  if (broken === "address") return "Source address not allowed";
  if (broken === "origin") return "Origin not allowed";
  if (broken === "permission") return `Missing required permission: ${permission ?? "*"}`;
  return `Missing required scope: ${scope}`;
}
