// The mean beat of each class, on paper of its own.

import { colorOf, mark, palette, sorted } from "./classes.js";
import { byId, element, prepare } from "./dom.js";
import { count } from "./format.js";

const HEIGHT = 110;
const BOX_S = 0.2;
const BOX_MV = 0.5;

/** Draw the means of the first lead, all in the same scale. */
export function drawMeans({ mean_beats, lead_names, class_names }, labels) {
  const counts = labels.counts();
  const means = sorted(Object.keys(mean_beats.classes)).map((label) => [label, mean_beats.classes[label][0]]);
  const values = means.flatMap(([, mean]) => mean);
  const [low, high] = [Math.min(-0.2, ...values), Math.max(0.4, ...values)];
  byId("means").replaceChildren(...means.map(([label, mean]) => {
    const name = class_names[label] ?? label;
    const peak = mean.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    const canvas = element("canvas", {
      role: "img",
      ariaLabel: `Mean ${name} beat in lead ${lead_names[0]}, largest deflection ${peak.toFixed(2)} mV`,
    });
    const caption = element("figcaption", {}, mark(label, name), element("span", { className: "hint" }, count(counts.get(label) ?? 0)));
    requestAnimationFrame(() => drawMean(canvas, mean, { label, low, high, ...mean_beats }));
    return element("figure", {}, canvas, caption);
  }));
}

function drawMean(canvas, mean, { label, low, high, fs, before }) {
  const width = canvas.clientWidth;
  if (!width) return;
  const context = prepare(canvas, width, HEIGHT);
  const xOf = (i) => (i / (mean.length - 1)) * width;
  const yOf = (mV) => 10 + ((high - mV) / (high - low)) * (HEIGHT - 20);
  context.fillStyle = palette().paper;
  context.fillRect(0, 0, width, HEIGHT);
  context.fillStyle = palette().bold;
  const first = Math.ceil(-before / BOX_S) * BOX_S;
  for (let s = first; (s + before) * fs < mean.length; s += BOX_S) context.fillRect(xOf((s + before) * fs), 0, 1, HEIGHT);
  for (let mV = Math.ceil(low / BOX_MV) * BOX_MV; mV <= high; mV += BOX_MV) context.fillRect(0, yOf(mV), width, 1);
  context.strokeStyle = colorOf(label);
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  mean.forEach((mV, i) => context.lineTo(xOf(i), yOf(mV)));
  context.stroke();
}
