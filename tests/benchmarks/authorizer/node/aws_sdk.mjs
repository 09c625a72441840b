// AWS's Node SDK with this project's single UpdateItem, and aws-jwt-verify for tokens.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConditionalCheckFailedException, DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { JwtVerifier } from "aws-jwt-verify";

const client = new DynamoDBClient({});
const issuer = `${process.env.SUPABASE_URL}/auth/v1`;
const verifier = JwtVerifier.create({
  issuer,
  audience: "authenticated",
  jwksUri: `${issuer}/.well-known/jwks.json`,
});
// It fetches over https only, so the keys are handed over instead: as after its first fetch.
verifier.cacheJwks(JSON.parse(readFileSync(process.env.JWKS_FILE, "utf8")));

// As `domain/limits/window.py` has them for a window of 60 seconds.
const EPOCH = 1_767_225_600;
const SPAN = 61;
const CHECKS = 64;
const KEPT = 3;
const SWEEP = 16;
const SKEW_MS = 500;
const LETTERS = "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
const DIGITS = `0123456789${LETTERS}`;

function checkpoint(second) {
  let rest = second - EPOCH;
  let name = "";
  for (let place = 0; place < 4; place++) {
    name = DIGITS[rest % DIGITS.length] + name;
    rest = Math.floor(rest / DIGITS.length);
  }
  return LETTERS[rest % LETTERS.length] + name;
}

let kept = { second: -1 };

function admission(now) {
  const second = Math.floor(now / 1000);
  const reader = Math.floor((now + SKEW_MS) / 1000);
  if (kept.second !== second || kept.reader !== reader) {
    const names = [];
    for (let at = reader - KEPT - SWEEP; at < reader + CHECKS; at++) names.push(checkpoint(at));
    const checked = names.slice(KEPT + SWEEP);
    const written = checkpoint(second + SPAN);
    const conditions = checked.map((name) => `(attribute_not_exists(${name}) OR #u < ${name})`);
    kept = {
      second,
      reader,
      condition: ["#u < cap", ...conditions].join(" AND "),
      assignments: `used = used + :c, cap = cap + :c, ${written} = if_not_exists(${written}, cap)`,
      removals: names.slice(0, SWEEP).join(", "),
      live: new Set(checked),
    };
  }
  return kept;
}

async function count(table, key, extra, now) {
  const { condition, assignments, removals, live } = admission(now);
  const answer = await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: key,
      ConditionExpression: `${extra.condition} AND ${condition}`,
      UpdateExpression: `SET ${extra.set}, ${assignments} REMOVE ${removals}`,
      ExpressionAttributeNames: { "#u": "used", ...extra.names },
      ExpressionAttributeValues: { ":c": { N: "1" }, ...extra.values },
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    }),
  );
  const item = answer.Attributes;
  const used = Number(item.used.N);
  let lowest = Number(item.cap.N);
  for (const [name, value] of Object.entries(item)) {
    if (live.has(name)) lowest = Math.min(lowest, Number(value.N));
  }
  return { item, remaining: Math.max(0, lowest - used) };
}

function uuid(bytes) {
  const digits = Buffer.from(bytes).toString("hex");
  return digits.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

async function decideKey(key, now) {
  const digest = createHash("sha256").update(key).digest();
  const tag = digest.toString("base64url").slice(0, 6);
  const { item, remaining } = await count(
    process.env.KEYS_TABLE,
    { pk: { S: `KEY#${digest.toString("hex")}` }, sk: { S: "#" } },
    {
      condition:
        "lvl >= :lvl AND #x > :now AND (attribute_not_exists(v) OR v = :v)" +
        " AND (attribute_not_exists(due) OR due > :now) AND (attribute_not_exists(top) OR #u < top)" +
        " AND attribute_not_exists(g)",
      set: "#s = :now",
      names: { "#x": `x${tag}`, "#s": `s${tag.slice(0, 2)}` },
      values: { ":lvl": { N: "1" }, ":v": { N: "0" }, ":now": { N: String(now) } },
    },
    now,
  );
  return { user_id: uuid(item.own.B), level: item.lvl.N, key_id: uuid(item.id.B), rate_remaining: remaining };
}

async function decideToken(token, now) {
  const claims = await verifier.verify(token);
  const { remaining } = await count(
    process.env.RATE_LIMITS_TABLE,
    { pk: { S: `USER#${claims.sub}` } },
    {
      condition: "attribute_exists(pk) AND attribute_not_exists(g)",
      set: "expires_on = :expires_on",
      values: { ":expires_on": { N: String(Math.floor(now / 1000) + 900) } },
    },
    now,
  );
  return { user_id: claims.sub, rate_remaining: remaining };
}

function policy(effect, principalId, resource, context) {
  const Statement = [{ Action: "execute-api:Invoke", Effect: effect, Resource: resource }];
  return { principalId, policyDocument: { Version: "2012-10-17", Statement }, context };
}

export async function handler(event) {
  const credential = event.headers.Authorization.slice("Bearer ".length);
  const now = Date.now();
  let answer;
  try {
    const caller = credential.startsWith("cgk_") ? await decideKey(credential, now) : await decideToken(credential, now);
    answer = policy("Allow", caller.user_id, event.methodArn, caller);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    answer = policy("Deny", "anonymous", event.methodArn, { message: "Missing or invalid token" });
  }
  const outcome = answer.policyDocument.Statement[0].Effect;
  process.stdout.write(`${JSON.stringify({ level: "INFO", message: "decision", service: "authorizer", outcome })}\n`);
  return answer;
}
