/** What the stack told the page, in the document's <meta> elements. */

function told(name) {
  return document.querySelector(`meta[name="${name}"]`).content;
}

export const settings = {
  /** What the service is called, a picture of it, and what explains it; the last two may be empty. */
  name: told("application-name"),
  logoUrl: told("logo-url"),
  documentationUrl: told("documentation-url"),
  supabaseUrl: told("supabase-url"),
  publishableKey: told("supabase-publishable-key"),
  defaultLimit: Number(told("rate-limit-default")),
  limitCeiling: Number(told("rate-limit-ceiling")),
  /** How long a key lives whose maker says nothing of it, and at most, in seconds; 0 for ever. */
  defaultLifetime: Number(told("key-lifetime-default")),
  longestLifetime: Number(told("key-lifetime-ceiling")),
  /** The page is one of the API's own resources: its folder is where the API lives. */
  apiUrl: new URL("./", location.href).href,
  /** Where identity providers send people back to; nothing of the query or the fragment. */
  pageUrl: location.origin + location.pathname,
};
