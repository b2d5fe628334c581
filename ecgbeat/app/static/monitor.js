// A monitor: the line is written from left to right, over the one before.

import { addShape } from "./classes.js";
import { prepare } from "./dom.js";

const SPAN_S = 8;
const GAP_S = 0.35; // blank before the new line
const COLORS = { N: "#7fc8ff", V: "#ff9a57", S: "#4fe0b0", A: "#4fe0b0", F: "#f3b0d6" };
const LINE = "#6ff2a4";
const LATEST = 60; // s that are kept

export class Monitor {
  constructor(canvas, fs, n_leads) {
    Object.assign(this, { canvas, fs, n_leads, beats: [], head: 0, received: 0 });
    this.size = Math.ceil(LATEST * fs);
    this.leads = Array.from({ length: n_leads }, () => new Float32Array(this.size).fill(NaN));
    this.range = [-1, 1.5];
  }

  /** Add samples of all leads. */
  push(samples) {
    const n = samples[0].length;
    this.leads.forEach((ring, lead) => {
      for (let i = 0; i < n; i += 1) ring[(this.received + i) % this.size] = samples[lead][i] ?? NaN;
    });
    this.received += n;
  }

  addBeats(beats) {
    this.beats = [...this.beats, ...beats].slice(-100);
  }

  /** Move the head of the line by the time that has passed; it never overtakes the samples. */
  advance(seconds, speed) {
    const wanted = this.head + seconds * this.fs * speed;
    // after a pause of the page the line goes on at the newest samples
    const late = this.received - 1.5 * this.fs * Math.max(1, speed);
    this.head = Math.min(this.received, Math.max(wanted, late));
  }

  draw() {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    const context = prepare(canvas, width, height);
    context.clearRect(0, 0, width, height);
    this.fitRange();
    this.drawGrid(context, width, height);
    this.leads.forEach((ring, lead) => this.drawLead(context, ring, lead, width, height));
    this.drawBeats(context, width);
  }

  /** Follow the height of the signal slowly, so that the line does not jump. */
  fitRange() {
    let [low, high] = [Infinity, -Infinity];
    const first = Math.max(0, Math.floor(this.head - SPAN_S * this.fs));
    for (const ring of this.leads) {
      for (let i = first; i < this.head; i += 3) {
        const value = ring[i % this.size];
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) return;
    const margin = 0.12 * Math.max(0.5, high - low);
    this.range = [this.range[0] + 0.06 * (low - margin - this.range[0]), this.range[1] + 0.06 * (high + margin - this.range[1])];
  }

  drawGrid(context, width, height) {
    context.fillStyle = "#172120";
    for (let k = 0; k <= SPAN_S * 5; k += 1) context.fillRect((k / (SPAN_S * 5)) * width, 0, 1, height);
  }

  drawLead(context, ring, lead, width, height) {
    const [low, high] = this.range;
    const rowHeight = (height - 44) / this.n_leads;
    const yOf = (mV) => 44 + lead * rowHeight + ((high - mV) / (high - low)) * (rowHeight - 8);
    const samples = SPAN_S * this.fs;
    const first = Math.max(0, Math.ceil(this.head - samples + GAP_S * this.fs));
    context.strokeStyle = LINE;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    let isNew = true;
    let lastX = Infinity;
    for (let i = first; i < this.head; i += 1) {
      const value = ring[i % this.size];
      const x = ((i % samples) / samples) * width;
      if (x < lastX) isNew = true;
      lastX = x;
      if (Number.isNaN(value)) {
        isNew = true;
        continue;
      }
      if (isNew) context.moveTo(x, yOf(value));
      else context.lineTo(x, yOf(value));
      isNew = false;
    }
    context.stroke();
  }

  drawBeats(context, width) {
    const samples = SPAN_S * this.fs;
    context.font = "700 15px system-ui, sans-serif";
    context.textAlign = "center";
    for (const { sample, label } of this.beats) {
      if (sample > this.head || sample < this.head - samples + GAP_S * this.fs) continue;
      const x = ((sample % samples) / samples) * width;
      context.fillStyle = COLORS[label] ?? "#d5dbd9";
      context.beginPath();
      addShape(context, label, x, 12, label === "N" ? 3.5 : 5.5);
      context.fill();
      context.fillText(label, x, 36);
    }
    const x = ((this.head % samples) / samples) * width;
    context.fillStyle = "#e9f2ee";
    context.fillRect(x, 44, 2, this.canvas.clientHeight);
  }
}
