export type { Caller, DerivedFrom, RateLimitStatus } from "./context.js";
export { guarded, type GuardedHandler, type ProxyResponse } from "./handler.js";
export { type Admission, type GuardOptions, inspect } from "./inspect.js";
export { requiredScope, type ScopeRule } from "./scopes.js";
