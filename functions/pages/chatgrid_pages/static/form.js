/** A dialog's form while the API is asked: what it says when the answer is no, and when to try again. */

import { busy, countDown, isBusy, say } from "./page.js";
import { inWords } from "./words.js";

export class Submission {
  #countdown = null;

  constructor({ button, note }) {
    this.button = button;
    this.note = note;
    this.label = button.textContent;
  }

  get busy() {
    return isBusy(this.button);
  }

  start() {
    this.reset();
    busy(this.button, true);
  }

  reset() {
    this.#countdown?.stop();
    this.button.textContent = this.label;
    busy(this.button, false);
    say(this.note, "");
  }

  /** Says why it did not work. While a limit holds, the button counts down and cannot be pressed. */
  refuse(refusal, { instead } = {}) {
    this.reset();
    const { title, text } = inWords(refusal);
    say(this.note, instead ?? `${title}. ${text}`);
    if (refusal.kind !== "limited" || !refusal.retryAfterSeconds) return;
    busy(this.button, true);
    this.#countdown = countDown(
      refusal.retryAfterSeconds,
      (left) => {
        this.button.textContent = `${this.label} (in ${left} s)`;
      },
      () => this.reset(),
    );
  }
}
