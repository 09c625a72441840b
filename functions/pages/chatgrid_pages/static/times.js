/** Points in time as people read them: relative at a glance, exact on hover or on request. */

const UNITS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
/** A unit is used from just below its length on: what is due in 89.9 days is due in 3 months. */
const NEARLY = 0.95;
const relativeFormat = new Intl.RelativeTimeFormat("en");
const exactFormat = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "long" });

export function exact(instant) {
  return exactFormat.format(new Date(instant));
}

export function relative(instant, now) {
  const seconds = (new Date(instant) - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= NEARLY * length) return relativeFormat.format(Math.round(seconds / length), unit);
  }
  return seconds < 0 ? "just now" : "in less than a minute";
}

/** Fills a <time>; `otherwise` is what to say when there is no such instant. */
export function fill(node, instant, { otherwise = "", showExact, now }) {
  if (instant === null) {
    node.removeAttribute("datetime");
    node.removeAttribute("title");
    node.textContent = otherwise;
    return;
  }
  const words = exact(instant);
  node.dateTime = instant;
  node.title = words;
  node.textContent = showExact ? words : relative(instant, now);
}
