// The whole recording at a glance: heart rate, abnormal beats, and the stretch in view.

import { colorOf, palette } from "./classes.js";
import { levelFor, walk } from "./decode.js";
import { prepare } from "./dom.js";
import { duration, time } from "./format.js";

const RATE_PX = 74; // of the heart rate
const ROW_PX = 11; // of a class
const MOST_ROWS = 7;
const LEFT = 34; // of the axis of rates
const SLOWEST_S = 3; // a longer gap between beats is no interval

export class Overview {
  /** `onMove(sample)` is called with the sample to be in the middle. */
  constructor(canvas, recording, labels, onMove) {
    Object.assign(this, { canvas, recording, labels, onMove });
    this.picture = document.createElement("canvas");
    this.width = 0;
    this.listen();
  }

  listen() {
    const { canvas } = this;
    const move = ({ clientX }) => {
      const { left } = canvas.getBoundingClientRect();
      this.onMove(((clientX - left - LEFT) / (this.width - LEFT)) * this.recording.n_times);
    };
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      move(event);
    };
    canvas.onpointermove = (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) move(event);
    };
  }

  /** Forget the picture, after corrections, other sizes and other colors. */
  invalidate() { this.width = 0; }

  draw(viewport) {
    const width = this.canvas.clientWidth;
    if (width !== this.width) {
      const present = this.labels.counts();
      this.rows = this.recording.beats.labels.filter((label) => label !== "N" && present.has(label)).slice(0, MOST_ROWS);
      this.width = width;
      this.height = RATE_PX + this.rows.length * ROW_PX + 22;
      this.drawPicture(width, this.height);
    }
    const context = prepare(this.canvas, width, this.height);
    context.drawImage(this.picture, 0, 0, width, this.height);
    this.drawWindow(context, viewport, this.height);
    this.describe(viewport);
  }

  drawWindow(context, viewport, height) {
    const scale = (this.width - LEFT) / this.recording.n_times;
    const left = LEFT + viewport.start * scale;
    const wide = Math.max(6, Math.min(viewport.span, this.recording.n_times) * scale);
    context.fillStyle = palette().window;
    context.globalAlpha = 0.12;
    context.fillRect(left, 0, wide, height);
    context.globalAlpha = 1;
    context.strokeStyle = palette().window;
    context.lineWidth = 2;
    context.strokeRect(left, 1, wide, height - 2);
  }

  describe(viewport) {
    const { canvas, recording } = this;
    canvas.ariaValueMin = "0";
    canvas.ariaValueMax = String(Math.round(recording.n_times / recording.fs));
    canvas.ariaValueNow = String(Math.round(viewport.start / recording.fs));
    canvas.ariaValueText = `${time(viewport.start / recording.fs, 0)} of ${duration(recording.n_times / recording.fs)}`;
  }

  drawPicture(width, height) {
    const context = prepare(this.picture, width, height);
    context.fillStyle = palette().surface;
    context.fillRect(0, 0, width, height);
    const xOf = (sample) => LEFT + (sample / this.recording.n_times) * (width - LEFT);
    context.fillStyle = palette().gone;
    for (const [from, to] of this.recording.unreadable) {
      context.fillRect(xOf(from), 0, Math.max(1, xOf(to) - xOf(from)), height - 16);
    }
    if (this.recording.hasBeats) this.drawRate(context, width);
    else this.drawSignal(context, width);
    this.drawClasses(context, xOf);
    this.drawTimes(context, xOf, height);
  }

  /** Draw the first lead, until there is a heart rate. */
  drawSignal(context, width) {
    const { recording } = this;
    const { low, high } = recording.ranges[0];
    const perPixel = recording.n_times / (width - LEFT);
    context.strokeStyle = palette().soft;
    context.lineWidth = 1;
    context.beginPath();
    walk(recording, levelFor(recording, perPixel), 0, 0, recording.n_times, (sample, mV, isNew) => {
      const y = 8 + (1 - (mV - low) / (high - low || 1)) * (RATE_PX - 22);
      context[isNew ? "moveTo" : "lineTo"](LEFT + sample / perPixel, Math.min(RATE_PX - 4, Math.max(2, y)));
    });
    context.stroke();
  }

  /** Draw the median rate of each few pixels, in a band of its 5th to 95th percentile. */
  drawRate(context, width) {
    const bins = rateBins(this.recording, Math.max(1, Math.floor((width - LEFT) / 3)));
    const rates = bins.filter((bin) => bin !== null);
    if (!rates.length) return;
    const low = Math.floor(Math.min(...rates.map((bin) => bin[0])) / 20) * 20;
    const high = Math.max(low + 40, Math.ceil(Math.max(...rates.map((bin) => bin[2])) / 20) * 20);
    const yOf = (rate) => 8 + (1 - (rate - low) / (high - low)) * (RATE_PX - 22);
    const xOf = (i) => LEFT + ((i + 0.5) / bins.length) * (width - LEFT);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    for (const rate of [low, high]) {
      context.fillStyle = palette().soft;
      context.fillText(String(rate), LEFT - 6, yOf(rate) + 4);
      context.fillStyle = palette().line;
      context.fillRect(LEFT, yOf(rate), width, 1);
    }
    context.fillStyle = palette().accent;
    bins.forEach((bin, i) => {
      if (bin === null) return;
      context.globalAlpha = 0.28;
      context.fillRect(xOf(i) - 1.5, yOf(bin[2]), 3, Math.max(1, yOf(bin[0]) - yOf(bin[2])));
      context.globalAlpha = 1;
      context.fillRect(xOf(i) - 1.5, yOf(bin[1]) - 1, 3, 2);
    });
  }

  drawClasses(context, xOf) {
    const { beats } = this.recording;
    context.font = "700 11px system-ui, sans-serif";
    context.textAlign = "right";
    this.rows.forEach((label, row) => {
      const y = RATE_PX + row * ROW_PX;
      const code = beats.labels.indexOf(label);
      context.fillStyle = colorOf(label);
      context.fillText(label, LEFT - 8, y + 9);
      let taken = -9;
      for (let index = 0; index < beats.n; index += 1) {
        if (beats.code[index] !== code) continue;
        const x = Math.round(xOf(beats.sample[index]));
        if (x !== taken) context.fillRect(x, y + 1, 1.5, ROW_PX - 2);
        taken = x;
      }
    });
  }

  drawTimes(context, xOf, height) {
    const { n_times, fs } = this.recording;
    const seconds = n_times / fs;
    const fits = Math.max(2, Math.floor(this.width / 90));
    const spacing = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400].find((s) => seconds / s <= fits) ?? 21600;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillStyle = palette().soft;
    for (let at = spacing; at < seconds - spacing / 3; at += spacing) {
      context.fillText(time(at, 0), xOf(at * fs), height - 5);
    }
    context.textAlign = "right";
    if (this.recording.hasBeats) context.fillText("bpm", LEFT - 6, RATE_PX / 2 - 1);
  }
}

/** Return [5th percentile, median, 95th percentile] of the heart rate in each bin, or null. */
function rateBins({ beats, n_times, fs }, n_bins) {
  const rates = Array.from({ length: n_bins }, () => []);
  for (let i = 1; i < beats.n; i += 1) {
    const seconds = (beats.sample[i] - beats.sample[i - 1]) / fs;
    const bin = Math.min(n_bins - 1, Math.floor((beats.sample[i] / n_times) * n_bins));
    if (seconds > 0.15 && seconds < SLOWEST_S) rates[bin].push(60 / seconds);
  }
  return rates.map((values) => {
    if (!values.length) return null;
    values.sort((a, b) => a - b);
    return [0.05, 0.5, 0.95].map((share) => values[Math.round(share * (values.length - 1))]);
  });
}
