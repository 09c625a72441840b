// Bundles Supabase's auth library into the one file that the page loads.
//
//   npm ci && npm run build            writes the file that is committed
//   npm run build -- some/other/file   writes it elsewhere (the test compares the two)
//
// The same lock file gives the same bytes on every machine.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";

const COMMITTED = "../functions/pages/chatgrid_pages/static/auth-js.js";
const version = async (name) =>
  JSON.parse(await readFile(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const banner = `/*!
 * @supabase/auth-js ${await version("@supabase/auth-js")}, MIT License, Copyright (c) 2020 Supabase
 * with tslib ${await version("tslib")}, 0BSD, Copyright (c) Microsoft Corporation
 * Built by dashboard/build.mjs with esbuild ${await version("esbuild")}; licence texts in auth-js.LICENSES.txt beside it.
 */`;

await build({
  absWorkingDir: new URL(".", import.meta.url).pathname,
  entryPoints: ["auth-js.entry.js"],
  outfile: process.argv[2] ?? COMMITTED,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: banner },
});
