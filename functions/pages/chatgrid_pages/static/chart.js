/** Bars in SVG, drawn as a picture; whoever cannot see it has the same numbers in a table. */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100;
const GAP = 0.16;
/** How high the scale goes: the least of these, times a power of ten, that holds the highest bar. */
const STEPS = [1, 2, 4, 5, 10];

/**
 * Puts a picture of stacked bars into a node.
 *
 * bars: `{title, parts}`: what the bar says when it is pointed at, and a number for each name in `names`.
 * Returns the number at the top of the scale.
 */
export function draw(node, bars, names, label) {
  const top = scale(Math.max(...bars.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0))));
  const svg = make("svg", { viewBox: `0 0 ${bars.length} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label });
  for (const level of [0.5, 1]) {
    const y = HEIGHT - level * HEIGHT;
    svg.append(make("line", { class: "grid", x1: 0, x2: bars.length, y1: y, y2: y }));
  }
  bars.forEach(({ title, parts }, place) => {
    const bar = make("g", {});
    const words = make("title", {});
    words.textContent = title;
    // The whole column can be pointed at, not the bar alone.
    bar.append(words, make("rect", { class: "column", x: place, y: 0, width: 1, height: HEIGHT }));
    let base = HEIGHT;
    parts.forEach((part, which) => {
      if (part === 0) return;
      const height = (part / top) * HEIGHT;
      base -= height;
      bar.append(make("rect", { class: `bar ${names[which]}`, x: place + GAP / 2, y: base, width: 1 - GAP, height }));
    });
    svg.append(bar);
  });
  node.replaceChildren(svg);
  return top;
}

function scale(highest) {
  if (highest <= STEPS[0]) return STEPS[0];
  const power = 10 ** Math.floor(Math.log10(highest));
  return power * STEPS.find((step) => step * power >= highest);
}

function make(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) node.setAttribute(attribute, value);
  return node;
}
