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

const EPOCH = 1_767_225_600;
const SPAN = 62;
const SKEW = 2;
const SWEEP = 16;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function checkpoint(second) {
  let rest = second - EPOCH;
  let name = "";
  for (let place = 0; place < 5; place++) {
    name = DIGITS[rest % 62] + name;
    rest = Math.floor(rest / 62);
  }
  return `k${name}`;
}

let kept = { second: -1 };

function admission(now) {
  const second = Math.floor(now / 1000);
  if (kept.second !== second) {
    const names = [];
    for (let at = second - SWEEP; at <= second + SPAN + SKEW; at++) names.push(checkpoint(at));
    const checked = names.slice(SWEEP);
    const written = checked[SPAN];
    kept = {
      second,
      condition: checked.map((name) => `(attribute_not_exists(${name}) OR used < ${name})`).join(" AND "),
      assignments: `used = used + :one, cap = cap + :one, ${written} = if_not_exists(${written}, cap)`,
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
      ExpressionAttributeNames: extra.names,
      ExpressionAttributeValues: { ":one": { N: "1" }, ...extra.values },
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

async function decideKey(key, now) {
  const hash = createHash("sha256").update(key).digest("hex");
  const { item, remaining } = await count(
    process.env.KEYS_TABLE,
    { pk: { S: `KEY#${hash}` }, sk: { S: "#" } },
    {
      condition:
        "attribute_exists(pk) AND #state = :active AND (attribute_not_exists(expires) OR expires > :now)" +
        " AND contains(scopes, :scope)",
      set: "seen = :now",
      names: { "#state": "state" },
      values: { ":active": { S: "active" }, ":scope": { S: "read" }, ":now": { N: String(now) } },
    },
    now,
  );
  return { user_id: item.owner.S, scopes: item.scopes.S, key_id: item.id.S, rate_remaining: remaining };
}

async function decideToken(token, now) {
  const claims = await verifier.verify(token);
  const { remaining } = await count(
    process.env.RATE_LIMITS_TABLE,
    { pk: { S: `USER#${claims.sub}` } },
    {
      condition: "attribute_exists(pk)",
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
