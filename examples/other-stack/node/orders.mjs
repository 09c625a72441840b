// Orders: a plain function behind the guard, for REST APIs and HTTP APIs alike.
import { guarded } from "chatgrid-guard";

export const handler = guarded(
  async (_event, _context, caller) => ({
    statusCode: 200,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ orders_of: caller.userId, with: caller.keyId, may: caller.scopes }),
  }),
  { allowOrigin: process.env.ALLOWED_ORIGIN },
);
