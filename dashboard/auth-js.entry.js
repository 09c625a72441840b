// What the page uses of Supabase's auth library; esbuild leaves out what it can prove unused.
export { AuthClient } from "@supabase/auth-js";
