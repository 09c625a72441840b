/** How a program sends a key: the same request in three languages, to be copied. */

import { announce, copyText, element } from "./page.js";
import { settings } from "./settings.js";

const EXAMPLES = {
  curl: (url) => `curl ${url} -H "Authorization: Bearer $CHATGRID_API_KEY"`,
  python: (url) => `import os, urllib.request

key = os.environ["CHATGRID_API_KEY"]
request = urllib.request.Request("${url}", headers={"Authorization": f"Bearer {key}"})
with urllib.request.urlopen(request) as answer:
    print(answer.read().decode())`,
  javascript: (url) => `const key = process.env.CHATGRID_API_KEY;
const answer = await fetch("${url}", { headers: { Authorization: \`Bearer \${key}\` } });
console.log(await answer.json());`,
};

export function prepare() {
  element("start-here-form").addEventListener("change", draw);
  element("start-here-copy").addEventListener("click", async () => announce(await copyText(element("start-here-code"), "Example copied.")));
  draw();
}

function draw() {
  const language = new FormData(element("start-here-form")).get("language");
  element("start-here-code").textContent = EXAMPLES[language](`${settings.apiUrl}me`);
}
