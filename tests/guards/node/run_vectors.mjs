// Asks the installed guard what the vectors ask, and prints its responses in the vectors' words.
import { readFileSync } from "node:fs";
import { guarded } from "chatgrid-guard";
import { guard } from "chatgrid-guard/hono";
import { Hono } from "hono";

const OK = { statusCode: 200, headers: { "X-Own": "1" }, body: "ok" };

function settings(known, of) {
  const options = { now: () => known.now_s * 1000 };
  if ("allow_origin" in of) options.allowOrigin = of.allow_origin;
  if ("route_permissions" in of) options.routePermissions = of.route_permissions;
  if ("required_scope" in of) options.requiredScope = () => of.required_scope;
  return options;
}

function told(status, headers, body, met) {
  const named = {};
  for (const [name, value] of headers) {
    if (name.toLowerCase() in named) throw new Error(`${name} twice`);
    named[name.toLowerCase()] = value;
  }
  const exposed = named["access-control-expose-headers"];
  delete named["access-control-expose-headers"];
  const caller = met.length === 0 ? null : snake(met[0]);
  const read = caller === null ? JSON.parse(body) : body;
  return { exposed, caller, status, headers: named, body: read };
}

function snake(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const name = (key) => key.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [name(key), snake(part)]));
}

async function byHandler(known, of) {
  const met = [];
  const handler = guarded((_event, _context, caller) => {
    met.push(caller);
    return "response" in of ? of.response : OK;
  }, settings(known, of));
  const response = await handler(of.event, {});
  const several = Object.entries(response.multiValueHeaders ?? {});
  const headers = [...Object.entries(response.headers), ...several.map(([n, of]) => [n, of.join(", ")])];
  return told(response.statusCode, headers, response.body ?? null, met);
}

async function byHono(known, of) {
  const met = [];
  const own = of.response ?? OK;
  const app = new Hono();
  app.use(guard(settings(known, of)));
  app.all("*", (c) => {
    met.push(c.get("caller"));
    const { statusCode: status, headers, body } = own;
    return new Response(body ?? null, { status, headers: headers ?? {} });
  });
  const response = await app.fetch(new Request("http://localhost/boards"), { event: of.event });
  const headers = [...response.headers].filter(
    ([name, value]) => !(name === "content-type" && value.startsWith("text/plain")),
  );
  const body = "body" in own || met.length === 0 ? await response.text() : null;
  return told(response.status, headers, body, met);
}

const results = [];
for (const file of process.argv.slice(2)) {
  const known = JSON.parse(readFileSync(file, "utf8"));
  for (const of of known.cases) {
    for (const [by, ask] of Object.entries({ handler: byHandler, hono: byHono })) {
      if (by === "hono" && of.handlers_only) continue;
      results.push({ file, name: of.name, by, response: await ask(known, of) });
    }
  }
}
process.stdout.write(JSON.stringify(results));
