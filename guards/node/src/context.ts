/** Reads what the authorizer left for the backend. A refused request's context holds no caller. */

/** Who is calling: known only once a request is allowed. */
export interface Caller {
  /** The user that the credential belongs to. */
  readonly userId: string;
  /** `api-key` or `jwt`. */
  readonly authMode: string;
  /** What the caller may do, lesser scopes included. */
  readonly scopes: readonly string[];
  /** The API key's id; `null` for a JWT. */
  readonly keyId: string | null;
  /** The API key's `live` or `test`; `null` for a JWT. */
  readonly environment: string | null;
  /** As the identity provider gave it; `null` when unknown. */
  readonly email: string | null;
  /** Whether the identity provider calls the user anonymous. */
  readonly anonymous: boolean;
  /** Whether it came with a secret of the key that another has taken the place of. */
  readonly former: boolean;
  /** When the credential ends, in Unix milliseconds; `null` for never. */
  readonly expiresAtMs: number | null;
  /** What the owner has noted about the API key: a JSON object of strings, as text. */
  readonly metadata: string | null;
  /** What the API key may be used for beside its scopes; `null` where nothing limits it. */
  readonly permissions: readonly string[] | null;
  /** What came in the API key's place; `null` where that came itself. */
  readonly token: DerivedFrom | null;
}

/** What is told of the token that a key's holder came with. */
export interface DerivedFrom {
  /** From when on it is none, in Unix milliseconds. */
  readonly expiresAtMs: number;
  /** Its scopes, as it was given them. */
  readonly scopes: readonly string[];
}

/** Where a caller stands with a limit. */
export interface RateLimitStatus {
  /** Units in any time of the limit's length; a request takes one, or what its route costs. */
  readonly limit: number;
  /** How many more are admitted now. */
  readonly remaining: number;
  /** Unix time in seconds at which more than that are; past when all are there. */
  readonly moreS: number;
  /** Unix time in seconds at which the whole limit is there again. */
  readonly resetS: number;
}

export type Context = Readonly<Record<string, unknown>>;

export const ALLOWED = "allowed";
export const FORBIDDEN = "forbidden";
export const RATE_LIMITED = "rate_limited";
/** What an HTTP API's guard is told, since that API gives no response of its own for it. */
export const REFUSED = "refused";
export const UNAVAILABLE = "unavailable";
/** Why a request is forbidden to a key whose scope would do. */
const RULES = ["address", "origin", "permission"];
const MOST_DIGITS = 16; // of a number that the authorizer wrote

/** The caller of an allowed request; `null` for every other context, whatever it holds. */
export function readCaller(context: Context): Caller | null {
  if (own(context, "verdict") !== ALLOWED) return null;
  const userId = text(context, "user_id");
  const authMode = text(context, "auth_mode");
  const scopes = text(context, "scopes");
  if (userId === null || authMode === null || scopes === null) return null;
  return {
    userId,
    authMode,
    scopes: words(scopes),
    keyId: text(context, "key_id"),
    environment: text(context, "environment"),
    email: text(context, "email"),
    anonymous: own(context, "anonymous") === "true",
    former: own(context, "former") === "true",
    expiresAtMs: number(own(context, "expires_at")),
    metadata: text(context, "metadata"),
    permissions: permissions(context),
    token: readToken(context),
  };
}

/** The rule of its key that a forbidden request breaks; `null` for every other. */
export function readBrokenRule(context: Context): string | null {
  if (own(context, "verdict") !== FORBIDDEN) return null;
  const rule = text(context, "reason");
  return rule !== null && RULES.includes(rule) ? rule : null;
}

/** What came in a key's place; a context that tells half of it is read as the strictest. */
function readToken(context: Context): DerivedFrom | null {
  const expiresAtMs = number(own(context, "token_expires_at"));
  const scopes = text(context, "token_scopes");
  if (expiresAtMs === null && scopes === null) return null;
  return { expiresAtMs: expiresAtMs ?? 0, scopes: words(scopes ?? "") };
}

function words(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== "");
}

/** The figures of the caller's limit; `null` when the context does not hold them all. */
export function readFigures(context: Context): RateLimitStatus | null {
  const limit = number(own(context, "rate_limit"));
  const remaining = number(own(context, "rate_remaining"));
  const moreS = number(own(context, "rate_more"));
  const resetS = number(own(context, "rate_reset"));
  if (limit === null || remaining === null || moreS === null || resetS === null) return null;
  return { limit, remaining, moreS, resetS };
}

/** Whether the caller is over a limit. */
export function isLimited(context: Context): boolean {
  return own(context, "verdict") === RATE_LIMITED;
}

/**
 * How long a caller over a limit must wait, in seconds.
 *
 * `null` for every other, and for one whom no wait helps, since its request is too dear.
 */
export function readRetryAfterS(context: Context): number | null {
  if (!isLimited(context) || own(context, "too_dear") === "true") return null;
  return number(own(context, "retry_after")) || 1;
}

/** A value of the object itself, never of its prototype. */
export function own(from: unknown, name: string): unknown {
  if (!isMapping(from) || !Object.hasOwn(from, name)) return undefined;
  return from[name];
}

/** Whether a value is what JSON calls an object. */
export function isMapping(value: unknown): value is Context {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text of the context; `null` for an empty one and whatever else is there. */
export function text(context: Context, name: string): string | null {
  const value = own(context, name);
  return typeof value === "string" && value !== "" ? value : null;
}

// A list that cannot be read holds nothing.
function permissions(context: Context): string[] | null {
  if (!Object.hasOwn(context, "permissions")) return null;
  return (text(context, "permissions") ?? "").split(/\s+/u).filter((one) => one !== "");
}

/** A number; a REST API makes strings of all values, `sam local` leaves numbers as they are. */
export function number(value: unknown): number | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : null;
  if (typeof value !== "string" || !/^[0-9]+$/u.test(value)) return null;
  return value.length <= MOST_DIGITS ? Number(value) : null;
}
