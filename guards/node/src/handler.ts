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
    return { ...response, headers: merged(response.headers, admission.headers) };
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

function merged(own: ProxyResponse["headers"], guards: Headers): ProxyResponse["headers"] {
  const taken = new Set(Object.keys(guards).map((name) => name.toLowerCase()));
  const headers: Record<string, string | number | boolean> = {};
  const varying: string[] = [];
  for (const [name, value] of Object.entries(isMapping(own) ? own : {})) {
    if (name.toLowerCase() === "vary") varying.push(String(value));
    else if (!taken.has(name.toLowerCase())) headers[name] = value;
  }
  const vary = [...varying, ...(guards["Vary"] === undefined ? [] : [guards["Vary"]])];
  return { ...headers, ...guards, ...(vary.length > 0 ? { Vary: vary.join(", ") } : {}) };
}
