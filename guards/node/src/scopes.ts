/** Scopes: `read` < `write` < `admin`, each including the ones before it. */

/** Gives the scope that a method and a resource need. */
export type ScopeRule = (method: string, resource: string) => string;

const ADMIN_RESOURCES = ["/me/api-keys", "/me/audit-log"];
const OWN_KEY = "/me/api-key";
const OWN_TOKENS = "/me/tokens";
const VERIFY = "/keys/verify";

/**
 * The scope that a call needs, as the authorizer has it.
 *
 * @param method the HTTP method, in upper case.
 * @param resource the path *as the API declares it*, for instance `/me/api-keys/{id}`: what API
 *   Gateway matched, never the path that the client spelled.
 */
export function requiredScope(method: string, resource: string): string {
  if (ADMIN_RESOURCES.some((admin) => isOrIsBelow(resource, admin))) return "admin";
  if (resource === VERIFY || resource === OWN_TOKENS) return "read";
  if (method === "GET" || method === "HEAD" || isOrIsBelow(resource, OWN_KEY)) return "read";
  return "write";
}

function isOrIsBelow(resource: string, above: string): boolean {
  return resource === above || resource.startsWith(`${above}/`);
}
