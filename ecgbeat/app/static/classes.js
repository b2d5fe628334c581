// Colors, shapes and names of the classes of beats: three signs for each, so that none needs color.

const SHAPES = { N: "disk", V: "down", S: "up", A: "up", F: "diamond", Q: "square", "/": "square", L: "left", R: "right" };
const COLORS = { N: "n", V: "v", S: "s", A: "s", F: "f", Q: "q", "/": "q", L: "l", R: "r" };
const POINTS = {
  down: [[-1, -0.8], [1, -0.8], [0, 1]],
  up: [[-1, 0.8], [1, 0.8], [0, -1]],
  left: [[-1, 0], [0.8, -1], [0.8, 1]],
  right: [[1, 0], [-0.8, -1], [-0.8, 1]],
  diamond: [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
  square: [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
};

const NAMES = "ground surface raised line control ink soft accent focus paper fine bold trace gone gone-line chosen window error n v s f q l r on-class";
let colors = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colors = null; });

/** Return the colors of the style sheet, for canvases. */
export function palette() {
  if (colors === null) {
    const style = getComputedStyle(document.documentElement);
    colors = Object.fromEntries(
      NAMES.split(" ").map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
  }
  return colors;
}

/** Sort labels from normal beats over the ectopic ones to the rest. */
export function sorted(labels) {
  const order = "NLRSAVF/Q";
  const rank = (label) => (order.includes(label) ? order.indexOf(label) : order.length);
  return [...labels].sort((a, b) => rank(a) - rank(b));
}

export const colorOf = (label) => palette()[COLORS[label] ?? "r"];

/** Add the shape of a class to the path of a context. */
export function addShape(context, label, x, y, radius) {
  const points = POINTS[SHAPES[label] ?? "disk"];
  if (points === undefined) {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  points.forEach(([dx, dy], i) => {
    context[i ? "lineTo" : "moveTo"](x + dx * radius, y + dy * radius);
  });
  context.closePath();
}

/** Return an element with the shape and the letter of a class, and its name if there is one. */
export function mark(label, name = "") {
  const node = document.createElement("span");
  node.className = "mark";
  node.dataset.class = label;
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "-1.2 -1.2 2.4 2.4");
  picture.setAttribute("aria-hidden", "true");
  const points = POINTS[SHAPES[label] ?? "disk"];
  const shape = document.createElementNS(picture.namespaceURI, points ? "polygon" : "circle");
  if (points) shape.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  else shape.setAttribute("r", "1");
  picture.append(shape);
  node.append(picture, label);
  if (!name) return node;
  const [whole, words] = [document.createElement("span"), document.createElement("span")];
  words.className = "name";
  words.textContent = ` ${name}`;
  whole.append(node, words);
  return whole;
}
