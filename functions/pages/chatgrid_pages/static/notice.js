/** The place above something that says why it cannot be shown, or not brought up to date. */

import { countDown, element, part, say, show } from "./page.js";
import { inWords } from "./words.js";

export class Notice {
  #countdown = null;
  #attempts = 0;

  /** `retry` is tried when the wait is over or the button is pressed; `signOut` when nothing else helps. */
  constructor(id, { retry, signOut }) {
    this.node = element(id);
    this.node.replaceChildren(element("notice-parts").content.cloneNode(true));
    this.retry = retry;
    this.signOut = signOut;
    part(this.node, "action").addEventListener("click", () => this.#act());
    addEventListener("online", () => this.visible && this.retry());
  }

  get visible() {
    return !this.node.hidden;
  }

  explain(refusal) {
    this.#attempts += 1;
    this.#countdown?.stop();
    const { title, text, waitSeconds, action } = inWords(refusal, { attempts: this.#attempts });
    this.action = action ?? "retry";
    this.node.dataset.kind = refusal.kind;
    say(part(this.node, "title"), title);
    say(part(this.node, "text"), text);
    part(this.node, "action").textContent = action === "sign-out" ? "Sign out" : "Try again";
    const ticking = part(this.node, "countdown");
    show(ticking, waitSeconds !== null);
    if (waitSeconds !== null) {
      this.#countdown = countDown(
        waitSeconds,
        (left) => {
          ticking.textContent = `Trying again in ${left} s`;
        },
        () => this.retry(),
      );
    }
    show(this.node);
  }

  clear() {
    this.#attempts = 0;
    this.#countdown?.stop();
    show(this.node, false);
  }

  #act() {
    if (this.action === "sign-out") this.signOut();
    else this.retry();
  }
}
