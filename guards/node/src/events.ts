/**
 * What the guard takes out of a proxy event, of a REST API or of an HTTP API.
 *
 * REST APIs (and payload 1.0) tell the matched resource by itself, and what the authorizer said as
 * flat strings. HTTP APIs (payload 2.0) tell the route's key, and what the authorizer said under
 * `lambda`, with its types.
 */

import { type Context, isMapping, own } from "./context.js";

export interface Arrival {
  /** What the authorizer said; empty where nobody was asked. */
  readonly context: Context;
  readonly method: string | null;
  /** The path as the API declares it; `null` where nothing was matched. */
  readonly resource: string | null;
}

/** Whether an event has payload format 2.0. */
export function isHttpApi(event: unknown): boolean {
  return own(event, "version") === "2.0";
}

/** Never throws. */
export function readEvent(event: unknown): Arrival {
  const about = own(event, "requestContext");
  const told = own(about, "authorizer");
  if (isHttpApi(event)) {
    const method = text(own(own(about, "http"), "method"));
    const context = mapping(own(told, "lambda"));
    return { context, method, resource: resourceOf(own(event, "routeKey"), method) };
  }
  return {
    context: mapping(told),
    method: text(own(event, "httpMethod")),
    resource: path(own(event, "resource")),
  };
}

/** The path of a route's key; `null` for `$default`, which matches whatever is spelled. */
function resourceOf(route: unknown, method: string | null): string | null {
  if (typeof route !== "string") return null;
  const space = route.indexOf(" ");
  const declared = route.slice(0, Math.max(space, 0));
  if (space < 0 || (declared !== "ANY" && declared !== method)) return null;
  return path(route.slice(space + 1));
}

/** A declared path: an HTTP API's `$default`, also in payload 1.0, is none. */
function path(value: unknown): string | null {
  return typeof value === "string" && value.startsWith("/") ? value : null;
}

function mapping(value: unknown): Context {
  return isMapping(value) ? value : {};
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
