// ECG paper: grid, leads, and the beats with their letters, drawn for the stretch in view.

import { addShape, colorOf, palette } from "./classes.js";
import { levelFor, lowerBound, walk } from "./decode.js";
import { time } from "./format.js";
import { PX_PER_MM } from "./viewport.js";

const BOX = 5 * PX_PER_MM; // side of a large box
const TOP = 48; // of the letters
const BOTTOM = 24; // of the times
const LETTERS_FROM = 15; // CSS pixels between beats
const FRAMES_FROM = 30;
const COLORS_FROM = 6;
const MOST_BOXES = 8; // above and below the middle of a lead
const BEAT_S = [0.14, 0.3]; // of the line in the color of an abnormal beat, about its peak
const NICE_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400];
const LABEL_PX = 90; // between two times

/** Return where each lead is drawn: top, height and the y of its middle, and the whole height. */
export function layout(recording, shown, gain) {
  let top = TOP;
  const rows = shown.map((lead) => {
    const { low, middle, high } = recording.ranges[lead];
    const boxes = (mV) => Math.min(MOST_BOXES, Math.max(1, Math.ceil((mV * gain * PX_PER_MM) / BOX + 0.6)));
    const above = boxes(high - middle);
    const row = { lead, top, middle, zero: top + above * BOX, height: (above + boxes(middle - low)) * BOX };
    top += row.height;
    return row;
  });
  return { rows, height: Math.ceil(top + BOTTOM) };
}

/** Draw all that is in view. */
export function drawPaper(context, view) {
  const { viewport, plan } = view;
  const [first, last] = beatsInView(view);
  const scene = { ...view, first, last, spacing: viewport.width / Math.max(1, last - first) };
  context.fillStyle = palette().paper;
  context.fillRect(0, 0, viewport.width, plan.height);
  drawGrid(context, scene);
  drawUnreadable(context, scene);
  drawChosen(context, scene);
  for (const row of plan.rows) drawLead(context, scene, row);
  drawBeats(context, scene);
  drawErrors(context, scene);
  drawTimes(context, scene);
}

/** Return the first beat in view, or just outside of it, and that after the last. */
function beatsInView({ recording, viewport }) {
  const margin = 40 * viewport.samplesPerPixel;
  const { sample } = recording.beats;
  return [lowerBound(sample, viewport.start - margin), lowerBound(sample, viewport.stop + margin)];
}

function drawGrid(context, { viewport, plan }) {
  const phase = -((viewport.start / viewport.samplesPerPixel) % BOX);
  const [top, bottom] = [TOP, plan.height - BOTTOM];
  for (const [color, spacing] of [["fine", BOX / 5], ["bold", BOX]]) {
    context.fillStyle = palette()[color];
    for (let x = phase; x < viewport.width; x += spacing) context.fillRect(x, top, 1, bottom - top);
    for (let y = top; y <= bottom + 1; y += spacing) context.fillRect(0, y, viewport.width, 1);
  }
}

function drawUnreadable(context, { recording, viewport, plan }) {
  const { gone, "gone-line": line, ink } = palette();
  for (const [from, to] of recording.unreadable) {
    const [left, right] = [Math.max(-20, viewport.xOf(from)), Math.min(viewport.width + 20, viewport.xOf(to))];
    if (right < 0 || left > viewport.width) continue;
    const height = plan.height - BOTTOM - TOP;
    context.save();
    context.beginPath();
    context.rect(left, TOP, Math.max(1, right - left), height);
    context.clip();
    context.fillStyle = gone;
    context.fillRect(left, TOP, Math.max(1, right - left), height);
    context.strokeStyle = line;
    context.beginPath();
    // stripes tell the gray from a shadow; they move with the signal
    const phase = 14 - ((viewport.start / viewport.samplesPerPixel) % 14);
    for (let x = phase - height - 14; x < viewport.width; x += 14) {
      if (x + height < left || x > right) continue;
      context.moveTo(x, TOP + height);
      context.lineTo(x + height, TOP);
    }
    context.stroke();
    context.restore();
    if (right - left > 80) text(context, "unreadable", Math.max(left, 0) + 8, TOP + 16, ink, "13px");
  }
}

function drawChosen(context, { recording, viewport, plan, chosen }) {
  if (chosen < 0) return;
  const x = viewport.xOf(recording.beats.sample[chosen]);
  context.fillStyle = palette().chosen;
  context.globalAlpha = 0.6;
  context.fillRect(x - 17, 0, 34, plan.height - BOTTOM);
  context.globalAlpha = 1;
}

function drawErrors(context, scene) {
  const { recording, viewport, plan, errorSamples, areErrorsOld } = scene;
  const first = lowerBound(errorSamples, viewport.sampleAt(-30));
  const last = lowerBound(errorSamples, viewport.sampleAt(viewport.width + 30));
  const isWide = scene.spacing >= FRAMES_FROM;
  for (let i = first; i < last; i += 1) {
    context.strokeStyle = palette().error;
    context.lineWidth = 2;
    const x = viewport.xOf(errorSamples[i]);
    if (!isWide) {
      context.strokeRect(x - 0.5, TOP - 5, 1, 8);
      continue;
    }
    context.setLineDash(areErrorsOld ? [7, 5] : []);
    context.strokeRect(x - 19, 3, 38, plan.height - BOTTOM - 6);
    context.setLineDash([]);
    const { kind, reference } = recording.errors[i];
    const note = kind === "false" ? "no beat" : kind === "missed" ? `missed ${reference}` : `is ${reference}`;
    text(context, note, x, plan.height - BOTTOM - 10, palette().error, "600 12px", "center", palette().paper);
  }
  context.lineWidth = 1;
}

function drawLead(context, scene, row) {
  const { recording, viewport } = scene;
  const { trace, paper } = palette();
  context.save();
  context.beginPath();
  context.rect(0, row.top - BOX / 2, viewport.width, row.height + BOX);
  context.clip();
  context.strokeStyle = trace;
  strokeSignal(context, scene, row, viewport.start, viewport.stop, scene.spacing > LETTERS_FROM ? 2 : 1);
  if (scene.spacing > COLORS_FROM) drawAbnormal(context, scene, row);
  context.restore();
  text(context, recording.lead_names[row.lead], 8, row.top + 14, trace, "600 13px", "left", paper);
}

/**
 * Draw the line of a lead between two samples.
 *
 * A line of one pixel of the screen is drawn many times faster than any wider one where no GPU
 * helps, so a wide line is several of them side by side.
 */
function strokeSignal(context, { recording, viewport, gain }, row, first, last, n_lines) {
  const ratio = window.devicePixelRatio || 1;
  const level = levelFor(recording, viewport.samplesPerPixel / ratio);
  const perMv = gain * PX_PER_MM;
  const perSample = 1 / viewport.samplesPerPixel;
  const line = new Path2D();
  walk(recording, level, row.lead, first, last, (sample, mV, isNew) => {
    const x = (sample - viewport.start) * perSample;
    const y = row.zero - (mV - row.middle) * perMv;
    if (isNew) line.moveTo(x, y);
    else line.lineTo(x, y);
  });
  context.save();
  context.lineWidth = 1 / ratio;
  for (let i = 0; i < n_lines * ratio; i += 1) {
    context.stroke(line);
    context.translate(0.45 / ratio, i % 2 ? 0.45 / ratio : 0);
  }
  context.restore();
}

function drawAbnormal(context, scene, row) {
  const { recording, viewport, labels } = scene;
  const [before, after] = BEAT_S.map((seconds) => seconds * viewport.fs);
  for (let index = scene.first; index < scene.last; index += 1) {
    const label = labels.of(index);
    if (label === "N") continue;
    const sample = recording.beats.sample[index];
    context.strokeStyle = colorOf(label);
    strokeSignal(context, scene, row, sample - before, Math.min(sample + after, viewport.n_times - 1), 3);
  }
}

function drawBeats(context, scene) {
  context.fillStyle = palette().surface;
  context.fillRect(0, 0, scene.viewport.width, TOP - 1);
  redrawTopOfChosen(context, scene);
  if (scene.spacing >= LETTERS_FROM) drawLetters(context, scene);
  else drawTicks(context, scene);
}

function redrawTopOfChosen(context, { recording, viewport, chosen }) {
  if (chosen < 0) return;
  context.fillStyle = palette().chosen;
  context.fillRect(viewport.xOf(recording.beats.sample[chosen]) - 17, 0, 34, TOP - 1);
}

function drawLetters(context, scene) {
  const { recording, viewport, labels } = scene;
  const { beats } = recording;
  for (let index = scene.first; index < scene.last; index += 1) {
    const label = labels.of(index);
    const color = colorOf(label);
    const x = viewport.xOf(beats.sample[index]);
    context.fillStyle = color;
    context.beginPath();
    addShape(context, label, x, 13, label === "N" ? 3.5 : 5.5);
    context.fill();
    const isUncertain = beats.uncertain[index] && !labels.isCorrected(index);
    text(context, isUncertain ? `${label}?` : label, x, 37, color, label === "N" ? "14px" : "700 15px", "center");
    if (isUncertain) frameUncertain(context, x, color);
    if (labels.isCorrected(index)) context.fillRect(x - 7, 42, 14, 2);
  }
}

function frameUncertain(context, x, color) {
  context.strokeStyle = color;
  context.setLineDash([3, 2]);
  context.lineWidth = 1.3;
  context.strokeRect(x - 13.5, 3.5, 27, 40);
  context.setLineDash([]);
  context.lineWidth = 1;
}

/** Draw one row of ticks for each class, where letters have no room; a pixel gets one at most. */
function drawTicks(context, scene) {
  const { recording, viewport } = scene;
  const { beats } = recording;
  const rows = beats.labels.map((label) => (label === "N" ? { y: 34, width: 1, height: 6 } : { y: 8 + 5 * (beats.labels.indexOf(label) % 5), width: 2, height: 9 }));
  const colors = beats.labels.map(colorOf);
  const taken = new Int32Array(beats.labels.length).fill(-9);
  const perSample = 1 / viewport.samplesPerPixel;
  for (let index = scene.first; index < scene.last; index += 1) {
    const code = beats.code[index];
    const x = Math.round((beats.sample[index] - viewport.start) * perSample);
    if (x - taken[code] < 2) continue;
    taken[code] = x;
    context.fillStyle = colors[code];
    context.fillRect(x, rows[code].y, rows[code].width, rows[code].height);
  }
}

function drawTimes(context, { viewport, plan }) {
  const perSecond = viewport.fs / viewport.samplesPerPixel;
  const spacing = NICE_S.find((seconds) => seconds * perSecond >= LABEL_PX) ?? NICE_S.at(-1);
  const y = plan.height - BOTTOM;
  const { surface, soft } = palette();
  context.fillStyle = surface;
  context.fillRect(0, y, viewport.width, BOTTOM);
  const first = Math.ceil(viewport.start / viewport.fs / spacing);
  for (let k = first; k * spacing * viewport.fs <= Math.min(viewport.stop, viewport.n_times); k += 1) {
    const x = viewport.xOf(k * spacing * viewport.fs);
    context.fillStyle = soft;
    context.fillRect(x, y, 1, 5);
    text(context, time(k * spacing, spacing < 1 ? 1 : 0), x + 4, y + 16, soft, "12px");
  }
}

function text(context, words, x, y, color, font, align = "left", halo = null) {
  context.font = `${font} system-ui, sans-serif`;
  context.textAlign = align;
  if (halo) {
    context.strokeStyle = halo;
    context.lineWidth = 4;
    context.strokeText(words, x, y);
    context.lineWidth = 1;
  }
  context.fillStyle = color;
  context.fillText(words, x, y);
}
