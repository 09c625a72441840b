/** The few things that every part of the page does with the document. Text goes in as text, never as markup. */

export function element(id) {
  return document.getElementById(id);
}

/** What a template's copy, or a row, calls so. */
export function part(node, name) {
  return node.querySelector(`[data-part="${name}"]`);
}

export function show(node, visible = true) {
  node.hidden = !visible;
}

/** Shows the text, or hides the element when there is none. */
export function say(node, text) {
  node.textContent = text ?? "";
  show(node, Boolean(text));
}

let aboutToSay;

/** Tells a screen reader what has just happened; sighted people see it happen. No text: what was said is taken away. */
export function announce(text) {
  const status = element("status");
  status.textContent = "";
  cancelAnimationFrame(aboutToSay);
  // A live region speaks when its text changes: the same words twice have to be two changes.
  aboutToSay = requestAnimationFrame(() => {
    status.textContent = text;
  });
}

/** Says, for all to see and hear, what has been done. No text: what was said is taken away. */
export function confirm(text) {
  say(element("done"), text);
  announce(text);
}

/** Copies a node's text; what then to tell the person. */
export async function copyText(node, words) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return words;
  } catch {
    getSelection().selectAllChildren(node);
    return "The browser does not let this page copy. It is selected: press Ctrl+C or ⌘C.";
  }
}

/** Marks a field as wrong and says why, or takes the mark away. `control` may be a fieldset. */
export function mark(control, errorNode, message) {
  say(errorNode, message);
  const inputs = control.tagName === "FIELDSET" ? control.querySelectorAll("input") : [control];
  for (const input of inputs) {
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

/** A button that is at work keeps its place and its focus, and takes no second click. */
export function busy(button, working) {
  button.setAttribute("aria-disabled", String(working));
  button.classList.toggle("working", working);
}

export function isBusy(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/** Counts whole seconds down to zero; `stop` ends it early. `tick` is called with what is left. */
export function countDown(seconds, tick, done) {
  const endsAt = performance.now() + seconds * 1000;
  let timer;
  const step = () => {
    const left = Math.ceil((endsAt - performance.now()) / 1000);
    if (left <= 0) {
      done();
      return;
    }
    tick(left);
    timer = setTimeout(step, endsAt - performance.now() - (left - 1) * 1000);
  };
  step();
  return { stop: () => clearTimeout(timer) };
}
