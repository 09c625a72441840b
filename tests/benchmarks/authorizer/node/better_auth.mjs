// better-auth's api-key plugin on its own memory adapter, whose requests are counted.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { apiKey } from "@better-auth/api-key";
import { memoryAdapter } from "@better-auth/memory-adapter";
import { betterAuth } from "better-auth";

const file = process.env.BETTER_AUTH_DATABASE;
const dates = new Set(["createdAt", "updatedAt", "lastRequest", "expiresAt", "lastRefillAt"]);
const database = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"), (name, value) => (dates.has(name) && value ? new Date(value) : value))
  : { user: [], session: [], account: [], verification: [], apikey: [] };

let asked = 0;
const METHODS = ["create", "findOne", "findMany", "update", "updateMany", "delete", "deleteMany", "count", "incrementOne", "consumeOne"];

function counting(adapter) {
  for (const name of METHODS) {
    const method = adapter[name];
    if (!method) continue;
    adapter[name] = (...given) => {
      asked += 1;
      return method(...given);
    };
  }
  return adapter;
}

const auth = betterAuth({
  baseURL: "http://127.0.0.1",
  secret: "benchmark-benchmark-benchmark-benchmark",
  telemetry: { enabled: false },
  logger: { disabled: true },
  emailAndPassword: { enabled: true },
  database: (options) => counting(memoryAdapter(database)(options)),
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 60_000, maxRequests: 1_000_000_000 } })],
});

export async function prepare() {
  const { user } = await auth.api.signUpEmail({
    body: { email: "user@example.org", password: "benchmark-benchmark", name: "user" },
  });
  const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: "benchmark" } });
  writeFileSync(file, JSON.stringify(database));
  return key;
}

export async function handler(event) {
  const key = event.headers.Authorization.slice("Bearer ".length);
  const { valid } = await auth.api.verifyApiKey({ body: { key } });
  return valid;
}

export async function storeRequests(call) {
  asked = 0;
  await call();
  return asked;
}
