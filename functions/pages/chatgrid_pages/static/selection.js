/** Which keys are chosen, to do something to all of them at once. Only what is seen is chosen. */

import { element, show } from "./page.js";
import * as rows from "./rows.js";

const picked = new Set();
let visible = [];

/** `act(action, keys)`: "pause" or "revoke" is wanted. */
export function prepare({ act }) {
  element("rows").addEventListener("change", ({ target }) => {
    if (target.checked) picked.add(target.dataset.pick);
    else picked.delete(target.dataset.pick);
    draw(visible);
  });
  element("pick-all").addEventListener("change", ({ target }) => {
    for (const key of choosable()) {
      if (target.checked) picked.add(key.id);
      else picked.delete(key.id);
    }
    draw(visible);
  });
  for (const action of ["pause", "revoke"]) {
    element(`pick-${action}`).addEventListener("click", () => act(action, choosable().filter((key) => picked.has(key.id))));
  }
}

/** Takes what is seen now; what is not seen any more is not chosen any more. */
export function draw(shown) {
  visible = shown;
  const ids = choosable().map((key) => key.id);
  for (const id of picked) if (!ids.includes(id)) picked.delete(id);
  rows.pick(picked);
  const all = element("pick-all");
  all.checked = ids.length > 0 && picked.size === ids.length;
  all.indeterminate = picked.size > 0 && !all.checked;
  show(element("selection"), ids.length > 1 || picked.size > 0);
  show(element("picked"), picked.size > 0);
  element("picked-count").textContent = picked.size > 0 ? `${picked.size} selected` : "";
}

function choosable() {
  return visible.filter((key) => !key.revoked_at);
}
