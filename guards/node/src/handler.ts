/** The guard before a plain Lambda proxy handler, which gets the caller as its third argument. */

import { type Caller, isMapping } from "./context.js";
import { isHttpApi } from "./events.js";
import type { Headers } from "./headers.js";
import { type GuardOptions, inspect } from "./inspect.js";

/** What a proxy handler gives back to API Gateway. */
export interface ProxyResponse {
  statusCode: number;
  headers?: Record<string, string | number | boolean> | undefined;
  multiValueHeaders?: Record<string, (string | number | boolean)[]> | undefined;
  body?: string | undefined;
  isBase64Encoded?: boolean | undefined;
}

export type GuardedHandler<Event, LambdaContext> = (
  event: Event,
  context: LambdaContext,
  caller: Caller,
) => unknown;

/**
 * Guard a handler: it runs for allowed requests only, and its responses tell where the caller
 * stands. A header of the handler's own never takes the place of one of the guard's.
 */
export function guarded<Event, LambdaContext = unknown>(
  handler: GuardedHandler<Event, LambdaContext>,
  options: GuardOptions = {},
): (event: Event, context: LambdaContext) => Promise<ProxyResponse> {
  return async (event, context) => {
    const admission = inspect(event, options);
    if (admission.caller === null) {
      return {
        statusCode: admission.status,
        headers: { "Content-Type": "application/json", ...admission.headers },
        body: admission.body,
      };
    }
    const given = await handler(event, context, admission.caller);
    const response = isHttpApi(event) ? explicit(given) : (given as ProxyResponse);
    return withHeaders(response, admission.headers);
  };
}

/**
 * A response with its parts, from what a handler behind an HTTP API may give for short.
 *
 * Source: "AWS Lambda integrations for HTTP APIs", payload format 2.0, API Gateway developer guide.
 */
function explicit(given: unknown): ProxyResponse {
  if (isMapping(given) && Object.hasOwn(given, "statusCode")) {
    return given as unknown as ProxyResponse;
  }
  const body = typeof given === "string" ? given : JSON.stringify(given ?? null);
  return { statusCode: 200, headers: { "Content-Type": "application/json" }, body };
}

/**
 * A handler's response and the guard's headers, which it can add to and never replace.
 *
 * API Gateway takes `multiValueHeaders` before `headers`, where both name one.
 */
function withHeaders(response: ProxyResponse, guards: Headers): ProxyResponse {
  const taken = new Set(["vary", ...Object.keys(guards).map((name) => name.toLowerCase())]);
  const single = entries(response.headers);
  const several = entries(response.multiValueHeaders);
  const varying = [...single, ...several]
    .filter(([name]) => name.toLowerCase() === "vary")
    .flatMap(([, value]) => value)
    .map(String);
  if (guards["Vary"] !== undefined) varying.push(guards["Vary"]);
  const rest = <T>([name]: [string, T]): boolean => !taken.has(name.toLowerCase());
  const headers = { ...Object.fromEntries(single.filter(rest)), ...guards };
  if (varying.length > 0) headers["Vary"] = varying.join(", ");
  const whole = { ...response, headers };
  if (several.length === 0) return whole;
  return { ...whole, multiValueHeaders: Object.fromEntries(several.filter(rest)) };
}

function entries<T>(of: Record<string, T> | undefined): [string, T][] {
  return isMapping(of) ? Object.entries(of as Record<string, T>) : [];
}
