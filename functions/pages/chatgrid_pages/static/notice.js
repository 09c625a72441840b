/** The one place above the list that says why it cannot be shown, or not brought up to date. */

import { countDown, element, say, show } from "./page.js";
import { inWords } from "./words.js";

export class Notice {
  #countdown = null;
  #attempts = 0;

  /** `retry` is tried when the wait is over or the button is pressed; `signOut` when nothing else helps. */
  constructor({ retry, signOut }) {
    this.retry = retry;
    this.signOut = signOut;
    element("notice-action").addEventListener("click", () => this.#act());
    addEventListener("online", () => this.visible && this.retry());
  }

  get visible() {
    return !element("notice").hidden;
  }

  explain(refusal) {
    this.#attempts += 1;
    this.#countdown?.stop();
    const { title, text, waitSeconds, action } = inWords(refusal, { attempts: this.#attempts });
    this.action = action ?? "retry";
    element("notice").dataset.kind = refusal.kind;
    say(element("notice-title"), title);
    say(element("notice-text"), text);
    element("notice-action").textContent = action === "sign-out" ? "Sign out" : "Try again";
    const ticking = element("notice-countdown");
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
    show(element("notice"));
  }

  clear() {
    this.#attempts = 0;
    this.#countdown?.stop();
    show(element("notice"), false);
  }

  #act() {
    if (this.action === "sign-out") this.signOut();
    else this.retry();
  }
}
