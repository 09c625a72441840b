// Runs one subject on command, and tells what it took: worker.py in Node.
//     node worker.mjs MODULE    (commands on standard input, answers on descriptor ANSWERS)
import { createHash } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";

const subject = await import(process.argv[2]);
const calls = new Map();

function allowed(result) {
  return typeof result === "object" ? result.policyDocument.Statement[0].Effect === "Allow" : Boolean(result);
}

function load(events) {
  for (const [kind, event] of Object.entries(events)) {
    let turn = 0;
    calls.set(kind, () => subject.handler(Array.isArray(event) ? event[turn++ % event.length] : event));
  }
  const bytes = Buffer.from(events.key.headers.Authorization.slice("Bearer ".length));
  calls.set("sha256_key", () => createHash("sha256").update(bytes).digest("hex"));
}

async function measure(call, count) {
  const wall = performance.now();
  const before = process.cpuUsage();
  let result;
  for (let done = 0; done < count; done++) result = await call();
  const used = process.cpuUsage(before);
  const took = performance.now() - wall;
  return { cpu: (used.user + used.system) / 1e6 / count, wall: took / 1e3 / count, allowed: allowed(result) };
}

async function obey(command) {
  switch (command.do) {
    case "prepare":
      return { credential: await subject.prepare() };
    case "load":
      load(command.events);
      return {};
    case "peak":
      return { peak_kib: Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "ascii"))[1]) };
    case "store_requests":
      return { store_requests: await subject.storeRequests(calls.get(command.kind)) };
    default:
      return measure(calls.get(command.kind), command.calls);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  writeSync(Number(process.env.ANSWERS), `${JSON.stringify(await obey(JSON.parse(line)))}\n`);
}
