// What a user writes: it compiles against the types that the package ships.
import { type Caller, guarded, inspect, requiredScope } from "chatgrid-guard";
import { guard, type GuardVariables } from "chatgrid-guard/hono";
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";

const app = new Hono<{ Variables: GuardVariables }>();
app.use(guard({ allowOrigin: "https://app.example.org" }));
app.get("/invoices", (c) => {
  const caller: Caller = c.get("caller");
  return c.json({ for: caller.userId, may: caller.scopes, left: c.get("rateLimit")?.remaining });
});
export const handler = handle(app);

export const plain = guarded(
  async (event: { resource: string }, _context: { awsRequestId: string }, caller) => ({
    statusCode: 200,
    body: `${event.resource} ${caller.userId} ${caller.keyId ?? ""}`,
  }),
  { requiredScope: (method, resource) => requiredScope(method, resource) },
);

const admission = inspect({});
export const status: number = admission.caller === null ? admission.status : 200;
