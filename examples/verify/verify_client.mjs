// Asks ChatGrid whether a client's credential is good: for backends in Node, without dependencies.
//
// Fails closed: whoever cannot be asked about, within the timeout, is not let in, and is told 503.
// Try it: `node verify_client.mjs` serves http://127.0.0.1:8080 as a container behind a load balancer
// would, with CHATGRID_URL (https://…/v1) and CHATGRID_VERIFY_KEY in its environment.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

/** For one question, connection and answer included. The gate answers in milliseconds. */
export const TIMEOUT_MS = 2000;

/** ChatGrid did not say: nothing is known of the credential. */
export class Unavailable extends Error {}

/** The verdict; `asked` is `scope`, or `method` and `resource`, and the rest. Throws Unavailable. */
export async function verify({ url, key, timeoutMs = TIMEOUT_MS }, credential, asked) {
  let response, answer;
  try {
    response = await fetch(`${url}/keys/verify`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ credential, ...asked }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    answer = await response.json();
  } catch (error) {
    throw new Unavailable(error.name);
  }
  if (response.status !== 200 || typeof answer?.data?.valid !== "boolean") {
    throw new Unavailable(`status ${response.status}`);
  }
  return answer.data;
}

const STATUSES = { forbidden: 403, ip_not_allowed: 403, rate_limited: 429, credits_exhausted: 429 };
const CODES = { 401: "unauthorized", 403: "forbidden", 503: "service_unavailable" };

/** The protected backend: one route, `GET /reports`. */
export async function handle(gate, request) {
  const [scheme, credential, ...more] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !credential || more.length) {
    return refused(401, "unauthorized", "Missing or invalid token");
  }
  // Behind a load balancer its X-Forwarded-For tells the client: the last address in it.
  const forwarded = (request.headers["x-forwarded-for"] ?? "").split(",").at(-1).trim();
  const source_ip = forwarded || request.socket.remoteAddress;
  let verdict;
  try {
    verdict = await verify(gate, credential, { method: "GET", resource: "/reports", source_ip });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return refused(503, "service_unavailable", "Service unavailable", 1);
  }
  if (!verdict.valid) {
    const status = STATUSES[verdict.code] ?? 401;
    const limited = verdict.code === "rate_limited" ? "rate_limit_exceeded" : verdict.code;
    const code = CODES[status] ?? limited;
    return refused(status, code, verdict.message, verdict.retry_after_seconds);
  }
  return { status: 200, headers: {}, body: { reports_of: verdict.caller.user_id } };
}

function refused(status, code, message, wait = null) {
  const headers = wait === null ? {} : { "Retry-After": String(wait) };
  if (status === 401) headers["WWW-Authenticate"] = "Bearer";
  return { status, headers, body: { object: "error", status, code, message } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const missing = ["CHATGRID_URL", "CHATGRID_VERIFY_KEY"].filter((name) => !process.env[name]);
  if (missing.length) {
    console.error(`Set ${missing.join(" and ")} in the environment.`);
    process.exit(1);
  }
  const gate = { url: process.env.CHATGRID_URL, key: process.env.CHATGRID_VERIFY_KEY };
  const [host, port] = [process.env.LISTEN ?? "127.0.0.1", Number(process.env.PORT ?? 8080)];
  createServer(async (request, response) => {
    const answer = await handle(gate, request).catch(() => refused(500, "internal_error", "Internal error"));
    response.writeHead(answer.status, { ...answer.headers, "Content-Type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }).listen(port, host, () => console.log(`Serving http://${host}:${port}/reports`));
}
