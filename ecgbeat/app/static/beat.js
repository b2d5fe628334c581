// One beat: normal or abnormal, with its confidence and the samples that decide.

import { palette } from "./classes.js";
import { announce, byId, element, hideError, prepare, showError } from "./dom.js";
import { percent } from "./format.js";
import { postJson } from "./request.js";

const N_NUMBERS = 187;
const FS = 120; // every third sample of MIT-BIH; the publication of the data states 125
const HEIGHT = 240;
const STRONG = 0.5; // saliency of the stretches that are named
// center, width and height of the waves of the examples, in samples and of 1; zeros from the end on
const EXAMPLES = {
  normal: { end: 127, waves: [[0, 2.2, 0.95], [5, 2, -0.12], [34, 8, 0.28], [92, 5, 0.14], [106, 2.2, 0.95], [110, 2, -0.12], [140, 8, 0.28]] },
  abnormal: { end: 146, waves: [[0, 7, 0.98], [24, 14, -0.45], [110, 5, 0.12], [122, 2.2, 0.7], [127, 2, -0.1], [155, 8, 0.25]] },
};

let shown = null;

/** Connect the form; return a function that fills it with a text and classifies. */
export function attachBeat() {
  let n_asked = 0;
  const fail = (sentence) => {
    byId("beat-result").hidden = true; // it is that of other numbers
    showError(sentence);
  };
  const classify = async () => {
    hideError();
    n_asked += 1;
    const number = n_asked;
    const signal = numbersOf(byId("beat-text").value);
    if (signal.length !== N_NUMBERS || signal.some(Number.isNaN)) {
      fail(`A beat has ${N_NUMBERS} numbers, got ${signal.length}${signal.some(Number.isNaN) ? ", not all of them numbers" : ""}.`);
      return;
    }
    const button = byId("beat-form").querySelector(".primary");
    button.disabled = true;
    button.textContent = "Classifying …";
    try {
      const answer = await postJson("/api/beat", { signal });
      if (number === n_asked) show(signal, JSON.parse(new TextDecoder().decode(answer.content)));
    } catch (error) {
      if (number === n_asked) fail(error.message);
    }
    button.disabled = false;
    button.textContent = "Classify";
  };
  const fill = (text) => {
    byId("beat-text").value = text.trim();
    return classify();
  };
  byId("beat-form").onsubmit = (event) => {
    event.preventDefault();
    classify();
  };
  byId("beat-text").oninput = () => {
    n_asked += 1;
    byId("beat-result").hidden = true;
  };
  byId("beat-file").onchange = async (event) => {
    const [file] = event.target.files;
    if (file) fill((await file.text()).slice(0, 100_000));
    event.target.value = "";
  };
  for (const button of document.querySelectorAll("[data-example]")) {
    button.onclick = () => fill(example(EXAMPLES[button.dataset.example]).join(", "));
  }
  new ResizeObserver(redrawBeat).observe(byId("beat-canvas"));
  return fill;
}

function numbersOf(text) {
  const numbers = text.split(/[\s,;]+/).filter(Boolean).map(Number);
  return numbers.length === N_NUMBERS + 1 ? numbers.slice(0, N_NUMBERS) : numbers;
}

/** Return a beat of Gaussian waves, from 0 to 1, filled up with zeros. */
function example({ waves, end }) {
  const sum = (i) => waves.reduce((total, [center, width, height]) => total + height * Math.exp(-(((i - center) / width) ** 2) / 2), 0);
  const values = Array.from({ length: N_NUMBERS }, (_, i) => sum(i));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value, i) => (i < end ? Number(((value - low) / (high - low)).toFixed(4)) : 0));
}

function show(signal, { label, probability, saliency }) {
  shown = { signal, saliency };
  byId("beat-result").hidden = false;
  byId("beat-label").textContent = String(label);
  byId("beat-confidence").textContent = `with ${percent(probability[label])} confidence`;
  byId("beat-bars").replaceChildren(...Object.entries(probability).map(([name, p]) => element(
    "li", {}, element("span", {}, name), element("span", {}, percent(p)), element("meter", { value: p, max: 1, ariaLabel: name }),
  )));
  const second = (i) => (i / FS).toFixed(2);
  const why = strongStretches(saliency).map(([from, to]) => (from === to ? `${second(from)} s` : `${second(from)} to ${second(to)} s`));
  byId("beat-why").textContent = why.length ? `The decision depends most on ${why.join(", ")}.` : "";
  byId("beat-canvas").ariaLabel = `The beat over 1.6 s; colored by its weight in the decision. ${byId("beat-why").textContent}`;
  redrawBeat();
  announce(`${label}, ${byId("beat-confidence").textContent}. ${byId("beat-why").textContent}`);
  byId("beat-result").scrollIntoView({ block: "nearest" });
}

/** Return [first, last] of the longest stretches with a high saliency, three at most. */
function strongStretches(saliency) {
  const stretches = [];
  saliency.forEach((value, i) => {
    if (value < STRONG) return;
    const last = stretches.at(-1);
    if (last && i - last[1] <= 4) last[1] = i;
    else stretches.push([i, i]);
  });
  return stretches.sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, 3).sort((a, b) => a[0] - b[0]);
}

/** Draw the beat again, in another size or other colors. */
export function redrawBeat() {
  const canvas = byId("beat-canvas");
  const width = canvas.clientWidth;
  if (shown === null || !width) return;
  const { signal, saliency } = shown;
  const context = prepare(canvas, width, HEIGHT);
  const { paper, fine, bold, v, "gone-line": pale, soft } = palette();
  const [low, high] = [Math.min(...signal), Math.max(...signal)];
  const xOf = (i) => 12 + (i / (N_NUMBERS - 1)) * (width - 24);
  const yOf = (value) => 18 + ((high - value) / (high - low || 1)) * (HEIGHT - 58);
  context.fillStyle = paper;
  context.fillRect(0, 0, width, HEIGHT);
  for (let k = 0; k * 0.04 * FS < N_NUMBERS; k += 1) { // 0.04 s, and 0.2 s
    context.fillStyle = k % 5 ? fine : bold;
    context.fillRect(xOf(k * 0.04 * FS), 0, 1, HEIGHT - 22);
  }
  context.lineCap = "round";
  for (const [color, isStrong] of [[pale, false], [v, true]]) {
    context.strokeStyle = color;
    for (let i = 1; i < N_NUMBERS; i += 1) {
      const weight = saliency[i];
      // pale below, with the color of the weight over it; the width says the same
      context.globalAlpha = isStrong ? weight : 1;
      context.lineWidth = 2 + 4 * weight;
      context.beginPath();
      context.moveTo(xOf(i - 1), yOf(signal[i - 1]));
      context.lineTo(xOf(i), yOf(signal[i]));
      context.stroke();
    }
  }
  context.globalAlpha = 1;
  context.fillStyle = soft;
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  for (let t = 0.2; t * FS < N_NUMBERS - 5; t += 0.2) context.fillText(`${t.toFixed(1)} s`, xOf(t * FS), HEIGHT - 7);
}
