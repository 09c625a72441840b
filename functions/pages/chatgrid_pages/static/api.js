/** The API that the page manages keys with: its own host's, as any other client sees it. */

import { accessToken } from "./session.js";
import { settings } from "./settings.js";

const PATIENCE_MS = 20_000;

/**
 * Why a request did not succeed.
 *
 * kind: "unreachable" (no answer at all), "ended" (401), "forbidden", "limited" (429), "unavailable" (503),
 * "invalid" (400, with `details`), "conflict", "missing" (404), or "fault" for everything else.
 */
export class Refusal extends Error {
  constructor(kind, { message = "", details = [], retryAfterSeconds = null, requestId = null } = {}) {
    super(message || kind);
    this.kind = kind;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
    this.requestId = requestId;
  }
}

const KINDS = { 400: "invalid", 401: "ended", 403: "forbidden", 404: "missing", 409: "conflict", 429: "limited", 503: "unavailable" };

/**
 * One page of keys, newest first: `{keys, cursor}`; the cursor is null on the last.
 *
 * filters: `status` and `environment` as the API calls them; those that are empty say nothing.
 */
export async function listKeys({ cursor, limit, filters = {}, signal }) {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
  if (cursor) query.set("cursor", cursor);
  const answer = await call("GET", `me/api-keys?${query}`, { signal });
  return { keys: answer.data, cursor: answer.has_more ? answer.cursor : null };
}

/** The new key, `raw_key` included: the only time that it is told. */
export async function createKey(wanted) {
  const answer = await call("POST", "me/api-keys", { body: wanted });
  return answer.data;
}

/** `reason` as the API calls it, such as "key_compromise". */
export async function revokeKey(id, reason) {
  await call("DELETE", `${pathOf(id)}?reason=${reason}`, {});
}

export async function getKey(id, { signal }) {
  return (await call("GET", pathOf(id), { signal })).data;
}

/** The key as it is after the change. */
export async function changeKey(id, changes) {
  return (await call("PATCH", pathOf(id), { body: changes })).data;
}

/** The key with its new secret in `raw_key`; `name` is the same for the same request sent again. */
export async function rotateKey(id, wanted, name) {
  return (await call("POST", `${pathOf(id)}/rotate`, { body: wanted, name })).data;
}

export async function endPreviousSecret(id) {
  return (await call("DELETE", `${pathOf(id)}/previous-secret`, {})).data;
}

/** What the usage route tells of a key, from an instant to now. */
export async function keyUsage(id, { granularity, from, signal }) {
  const query = new URLSearchParams({ granularity, from });
  return (await call("GET", `${pathOf(id)}/usage?${query}`, { signal })).data;
}

/** One page of the owner's audit log, the newest first: `{entries, cursor}`; the cursor is null on the last. */
export async function auditLog({ cursor, limit, signal }) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  const answer = await call("GET", `me/audit-log?${query}`, { signal });
  return { entries: answer.data, cursor: answer.has_more ? answer.cursor : null };
}

function pathOf(id) {
  return `me/api-keys/${encodeURIComponent(id)}`;
}

async function call(method, path, options) {
  const { token, userId } = await credential({ renew: false });
  let response = await attempt(method, path, options, token);
  if (response.status === 401) {
    // A clock that is wrong, or a key that was rotated away: one fresh token, and one more try.
    const fresh = await credential({ renew: true });
    // By now somebody else may have signed in: what one person asked for is not done for another.
    if (fresh.userId !== userId) throw new Refusal("ended");
    response = await attempt(method, path, options, fresh.token);
  }
  if (response.ok) return await body(response);
  throw await refusal(response);
}

async function credential({ renew }) {
  const { token, userId, ended, unreachable } = await accessToken({ renew });
  if (ended) throw new Refusal("ended");
  if (unreachable) throw new Refusal("unreachable");
  return { token, userId };
}

async function attempt(method, path, { body: content, name, signal }, token) {
  const headers = { Authorization: `Bearer ${token}` };
  if (name) headers["Idempotency-Key"] = name;
  if (content) headers["Content-Type"] = "application/json";
  const limits = [AbortSignal.timeout(PATIENCE_MS)];
  if (signal) limits.push(signal);
  try {
    return await fetch(new URL(path, settings.apiUrl), {
      method,
      headers,
      body: content && JSON.stringify(content),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.any(limits),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal("unreachable");
  }
}

async function body(response) {
  try {
    return await response.json();
  } catch {
    throw new Refusal("unreachable"); // cut off half-way
  }
}

async function refusal(response) {
  const told = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("Retry-After"));
  return new Refusal(KINDS[response.status] ?? "fault", {
    message: told.message,
    details: told.details,
    retryAfterSeconds: seconds > 0 ? seconds : null,
    requestId: response.headers.get("x-amzn-RequestId"),
  });
}
