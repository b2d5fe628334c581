// The mean beat of each class, on paper of its own.

import { colorOf, mark, palette, sorted } from "./classes.js";
import { walk } from "./decode.js";
import { byId, element, prepare } from "./dom.js";
import { count } from "./format.js";

const HEIGHT = 110;
const [BEFORE_S, AFTER_S] = [0.3, 0.5]; // about the R peak
const MEAN_OF = 400; // beats of a class at most
const BOX_S = 0.2;
const BOX_MV = 0.5;

/**
 * Return the mean beat of each class in mV, about the median of each beat: of some leads, and of the
 * labels as they are now.
 *
 * The signal is the finest that the page has, the minima and maxima of a long recording. At most
 * MEAN_OF beats of a class are used, evenly chosen; those near gaps are left out.
 */
export function meanBeats(recording, labels, leads) {
  const { levels: [{ step, width }], beats } = recording;
  const fs = (recording.fs * width) / step;
  const [n_before, n_after] = [BEFORE_S, AFTER_S].map((seconds) => Math.round(seconds * fs));
  const classes = {};
  for (const [label, n] of labels.counts()) {
    const spacing = Math.ceil(n / MEAN_OF);
    const chosen = [];
    let k = 0;
    for (let i = 0; i < beats.n; i += 1) if (labels.of(i) === label && k++ % spacing === 0) chosen.push(beats.sample[i]);
    const means = leads.map((lead) => meanOf(recording, lead, chosen, n_before, n_before + n_after));
    if (!means.includes(null)) classes[label] = means;
  }
  return { fs, before: n_before / fs, classes };
}

/** Return the mean of a lead about some peaks, or null if it is nowhere whole. */
function meanOf(recording, lead, peaks, n_before, n) {
  const sum = new Float64Array(n);
  let n_whole = 0;
  for (const peak of peaks) {
    const wave = cut(recording, lead, peak, n_before, n);
    if (wave === null) continue;
    const middle = median(wave);
    for (let i = 0; i < n; i += 1) sum[i] += wave[i] - middle;
    n_whole += 1;
  }
  return n_whole ? Array.from(sum, (mV) => Number((mV / n_whole).toFixed(4))) : null;
}

/** Return the line of a lead about a peak at evenly spaced times, or null if part of it is missing. */
function cut(recording, lead, peak, n_before, n) {
  const [level] = recording.levels;
  const spacing = level.step / level.width;
  const first = peak - n_before * spacing;
  const wave = new Float64Array(n);
  let [i, before, from] = [0, NaN, NaN];
  walk(recording, level, lead, first - 2 * level.step, first + n * spacing + level.step, (sample, mV, isNew) => {
    if (isNew) before = NaN; // the line begins again
    for (; i < n && first + i * spacing <= sample; i += 1) {
      const share = (first + i * spacing - before) / (sample - before);
      wave[i] = first + i * spacing === sample ? mV : from + share * (mV - from);
    }
    [before, from] = [sample, mV];
  });
  return i < n || wave.some(Number.isNaN) ? null : wave;
}

function median(values) {
  const ascending = Float64Array.from(values).sort();
  return (ascending[(values.length - 1) >> 1] + ascending[values.length >> 1]) / 2;
}

/** Draw the means of the first lead, all in the same scale. */
export function drawMeans(recording, labels) {
  const { lead_names, class_names } = recording;
  const counts = labels.counts();
  const mean_beats = meanBeats(recording, labels, [0]);
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
