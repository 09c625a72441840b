// The process that runs one Node function, one invocation at a time; worker_main.py says how it speaks.
import { writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const channel = new Socket({ fd: Number(process.argv[2]), readable: true, writable: true });
let unread = Buffer.alloc(0);
let running = Promise.resolve();
// A gateway that is gone ends the function, in the middle of a handler too.
channel.on("close", () => process.exit(0));
channel.on("error", () => process.exit(0));

function send(value) {
  const body = Buffer.from(JSON.stringify(value));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  channel.write(Buffer.concat([size, body]));
}

function failure(error) {
  writeFileSync(1, `${error?.stack ?? error}\n`);
  return { error: { errorType: error?.name ?? "Error", errorMessage: String(error?.message ?? error) } };
}

async function load() {
  const [file, name] = process.env._HANDLER.split(".");
  for (const kind of ["mjs", "js"]) {
    try {
      const url = pathToFileURL(join(process.env.LAMBDA_TASK_ROOT, `${file}.${kind}`)).href;
      return (await import(url))[name];
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND" || !String(error.message).includes(`${file}.${kind}'`)) throw error;
    }
  }
  throw new Error(`no ${file}.mjs and no ${file}.js`);
}

let handler;
let broken = null;
try {
  handler = await load();
} catch (error) {
  broken = failure(error);
}

async function invoke({ request_id, arn, deadline_ms, event }) {
  if (broken !== null) return broken;
  try {
    const context = {
      awsRequestId: request_id,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      invokedFunctionArn: arn,
      getRemainingTimeInMillis: () => Math.max(0, deadline_ms - Date.now()),
    };
    return { result: (await handler(event, context)) ?? null };
  } catch (error) {
    return failure(error);
  }
}

channel.on("data", (chunk) => {
  unread = Buffer.concat([unread, chunk]);
  while (unread.length >= 4 && unread.length >= 4 + unread.readUInt32BE(0)) {
    const size = unread.readUInt32BE(0);
    const invocation = JSON.parse(unread.subarray(4, 4 + size).toString());
    unread = unread.subarray(4 + size);
    running = running.then(async () => send(await invoke(invocation)));
  }
});
send({ ready: broken === null });
