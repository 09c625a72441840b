/** Permissions, a second condition beside the scope: `resource:action`, `resource:*`, `*`. */

const OWN = ["/me/api-key", "/me/tokens"];
/** Held where it is written, included in nothing. */
const VERIFY = "keys:verify";
const SIDE = /^[a-z0-9_-]{1,64}$/u;

/**
 * The permission that a call needs of a key that has permissions; `null` for none.
 *
 * @param method the HTTP method, in upper case.
 * @param resource the path *as the API declares it*.
 * @param scope the scope that the call needs.
 * @param mapped the deployment's own permissions, by method and resource.
 */
export function requiredPermission(
  method: string,
  resource: string,
  scope: string,
  mapped: Readonly<Record<string, string>>,
): string | null {
  if (OWN.some((own) => resource === own || resource.startsWith(`${own}/`))) return null;
  if (resource === "/keys/verify") return VERIFY;
  const route = `${method === "HEAD" ? "GET" : method} ${resource}`;
  if (Object.hasOwn(mapped, route)) return mapped[route] ?? "*";
  const first = resource.slice(1).split("/", 1)[0] ?? "";
  return SIDE.test(first) ? `${first}:${scope}` : "*";
}

/** Whether these permissions, `null` for all, let a caller do what needs that one. */
export function covers(granted: readonly string[] | null, needed: string | null): boolean {
  if (needed === null) return true;
  if (needed === VERIFY) return granted?.includes(VERIFY) ?? false;
  if (granted === null || granted.includes("*") || granted.includes(needed)) return true;
  const [resource, action] = needed.split(":", 2);
  return action !== undefined && granted.includes(`${resource}:*`);
}
