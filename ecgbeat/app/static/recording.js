// The view of a recording: paper, overview, table and summary, kept at the same place.

import { sorted } from "./classes.js";
import { announce, byId, element, onceAFrame, prepare } from "./dom.js";
import { attachDownloads } from "./downloads.js";
import { Figures } from "./figures.js";
import { count, duration, percent, time } from "./format.js";
import { attachGestures } from "./gestures.js";
import { findNext, KINDS, nearestBeat } from "./jump.js";
import { Labels } from "./labels.js";
import { drawMeans } from "./means.js";
import { openMenu } from "./menu.js";
import { Overview } from "./overview.js";
import { drawPaper, layout } from "./paper.js";
import { showCard, showSummary } from "./summary.js";
import { BeatTable } from "./table.js";
import { Viewport } from "./viewport.js";

const REACH_PX = 24; // of a click, about a beat
const FIRST_LEADS = 3; // drawn at the beginning, of many
const ZOOM = 1.5;
const OF_BEATS = "[data-download], #report, [data-jump] button"; // of no use before them

export class RecordingView {
  constructor(recording) {
    this.recording = recording; // one object, which gets its beats later
    this.labels = new Labels(recording.beats);
    this.isClosed = false;
    this.onClose = () => {};
    this.viewport = new Viewport(recording);
    this.gain = Number(byId("gain").value);
    this.shown = recording.lead_names.map((_, lead) => lead).slice(0, FIRST_LEADS);
    this.chosen = -1;
    this.shownSpeed = NaN;
    this.errorSamples = new Int32Array(0);
    this.figures = new Figures(this, { onFound: (figures) => this.addFigures(figures), onState: () => this.showFigures() });
    this.redraw = onceAFrame(() => this.draw());
    this.overview = new Overview(byId("overview"), recording, this.labels, (sample) => {
      this.viewport.center(sample);
      this.redraw();
    });
    this.fill();
    this.attach();
  }

  /** Show the beats of the recording. */
  addBeats(found) {
    const { recording } = this;
    Object.assign(recording, found);
    this.labels = new Labels(recording.beats);
    this.labels.addEventListener("change", ({ detail }) => this.onChange(detail));
    this.overview.labels = this.labels;
    this.overview.invalidate();
    this.table = new BeatTable(recording, this.labels, {
      onChoose: (index) => this.choose(index),
      onOpen: (index, row) => this.openMenu(index, row),
    });
    this.addFigures(recording);
    this.fill();
    this.redraw();
  }

  /** Show figures that belong to the labels as they are. */
  addFigures({ summary, n_reference, errors, report }) {
    Object.assign(this.recording, { summary, n_reference, errors, report });
    this.errorSamples = Int32Array.from(errors, (error) => error.sample);
    this.table.remarks = this.remarks();
    byId("ec57").hidden = report === null;
    byId("ec57-text").textContent = report ?? "";
  }

  showFigures() {
    this.table.applyFilter();
    showSummary(this.recording, this.labels, this.figures.state, (sample) => this.jumpTo(sample));
    this.redraw();
  }

  /** Return the words on each beat that differs from the reference. */
  remarks() {
    const remarks = new Map();
    for (const { sample, kind, reference } of this.recording.errors) {
      const index = nearestBeat(this.recording.beats.sample, sample, 0);
      if (kind !== "missed" && index >= 0) {
        remarks.set(index, kind === "false" ? "no beat in the reference" : `reference: ${reference}`);
      }
    }
    return remarks;
  }

  fill() {
    const { record_name, n_times, fs, lead_names, model, beats, has_reference, hasBeats } = this.recording;
    byId("record-name").textContent = record_name;
    const leads = lead_names.length === 1 ? `lead ${lead_names[0]}` : `${lead_names.length} leads`;
    // a line of the same length before and after, so that the paper stays where it is
    const found = `${hasBeats ? count(beats.n) : "…"} beats`;
    byId("record-facts").textContent = `${duration(n_times / fs)} · ${leads} · ${Number(fs.toFixed(2))} Hz · ${found} · model ${model.name}`;
    this.fillLeads();
    byId("pending").hidden = hasBeats;
    byId("findings").hidden = !hasBeats;
    for (const button of document.querySelectorAll(OF_BEATS)) button.disabled = !hasBeats;
    byId("undo").disabled = true;
    document.querySelector('[data-jump="e"]').hidden = !has_reference;
    if (hasBeats) this.fillBeats();
  }

  fillBeats() {
    showCard(this.recording.model);
    this.figures.say("current");
    drawMeans(this.recording, this.labels);
  }

  fillLeads() {
    const { lead_names } = this.recording;
    byId("lead-choice").hidden = lead_names.length < 2;
    const boxes = lead_names.map((name, lead) => {
      const onchange = (event) => {
        this.shown = lead_names.map((_, i) => i).filter((i) => (i === lead ? event.target.checked : this.shown.includes(i)));
        this.redraw();
      };
      return element("label", {}, element("input", { type: "checkbox", checked: this.shown.includes(lead), onchange }), name);
    });
    byId("lead-list").replaceChildren(byId("lead-list").querySelector("legend"), ...boxes);
  }

  attach() {
    const { viewport } = this;
    const paper = byId("paper");
    attachGestures(paper, {
      pan: (pixels) => this.moveTo(viewport.start + pixels * viewport.samplesPerPixel),
      zoom: (factor, x) => this.zoom(factor, x),
      tap: (x, y) => this.tap(x, y),
    });
    byId("overview").onkeydown = (event) => this.onOverviewKey(event);
    byId("speed").onchange = (event) => this.setSpeed(Number(event.target.value));
    byId("gain").onchange = (event) => {
      this.gain = Number(event.target.value);
      this.redraw();
    };
    byId("zoom-in").onclick = () => this.zoom(ZOOM);
    byId("zoom-out").onclick = () => this.zoom(1 / ZOOM);
    byId("zoom-all").onclick = () => this.setSpeed(this.viewport.whole);
    byId("undo").onclick = () => this.undo();
    for (const button of document.querySelectorAll("[data-jump] button")) {
      button.onclick = () => this.jump(button.parentElement.dataset.jump, Number(button.dataset.step));
    }
    attachDownloads(this);
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(byId("paper-frame"));
  }

  /** End the view before another one is shown. */
  close() {
    this.isClosed = true;
    this.onClose();
    this.figures.stop();
    this.sizes.disconnect();
    byId("menu").hidden = true;
  }

  resize() {
    this.viewport.resize(byId("paper-frame").clientWidth);
    this.overview.invalidate();
    this.redraw();
  }

  /** Draw again in other colors. */
  recolor() {
    this.overview.invalidate();
    if (this.recording.hasBeats) drawMeans(this.recording, this.labels);
    this.redraw();
  }

  draw() {
    const { viewport, recording, labels, gain, chosen, errorSamples } = this;
    if (!byId("paper").clientWidth) return;
    const plan = layout(recording, this.shown, gain);
    const context = prepare(byId("paper"), viewport.width, plan.height);
    drawPaper(context, { recording, viewport, labels, plan, gain, chosen, errorSamples, areErrorsOld: this.figures.state !== "current" });
    this.overview.draw(viewport);
    this.showSpeed();
  }

  showSpeed() {
    const { speed, start, stop, fs, n_times } = this.viewport;
    const round = Number(speed.toPrecision(3));
    byId("reading").textContent = `${time(start / fs)} to ${time(Math.min(stop, n_times) / fs)}, ${round} mm/s, ${this.gain} mm/mV`;
    if (round === this.shownSpeed) return;
    this.shownSpeed = round;
    const select = byId("speed");
    const other = select.querySelector('[value="0"]');
    other.textContent = `${round} mm/s`;
    const known = [...select.options].some((option) => option !== other && Number(option.value) === round);
    select.value = known ? String(round) : "0";
  }

  moveTo(start) {
    const before = this.viewport.start;
    this.viewport.moveTo(start);
    this.redraw();
    return this.viewport.start !== before;
  }

  zoom(factor, x = undefined) {
    this.setSpeed(this.viewport.speed * factor, x);
  }

  setSpeed(speed, x = undefined) {
    this.viewport.setSpeed(speed, x);
    this.redraw();
  }

  tap(x, y) {
    const reach = REACH_PX * this.viewport.samplesPerPixel;
    const index = nearestBeat(this.recording.beats.sample, this.viewport.sampleAt(x), reach);
    byId("paper").focus({ preventScroll: true });
    if (index < 0) return;
    this.choose(index, false);
    this.openMenu(index, byId("paper"), y);
  }

  /** Choose a beat; the paper shows it, the table too, and a screen reader says it. */
  choose(index, isCentered = true) {
    this.chosen = index;
    const { sample } = this.recording.beats;
    const x = this.viewport.xOf(sample[index]);
    if (isCentered && (x < 40 || x > this.viewport.width - 40)) this.viewport.center(sample[index]);
    this.table.choose(index);
    this.redraw();
    announce(this.describe(index));
  }

  describe(index) {
    const { beats, class_names, fs } = this.recording;
    const label = this.labels.of(index);
    const words = [`Beat ${index + 1} at ${time(beats.sample[index] / fs, 2)}: ${label}, ${class_names[label] ?? label}`];
    if (this.labels.isCorrected(index)) words.push("corrected");
    else words.push(`probability ${percent(beats.probability[index])}${beats.uncertain[index] ? ", uncertain" : ""}`);
    if (this.table.remarks.has(index)) words.push(this.table.remarks.get(index));
    return words.join(", ");
  }

  jump(kind, step) {
    const { beats, hasBeats } = this.recording;
    if (!hasBeats) {
      announce("There are no beats yet.");
      return;
    }
    const from = this.cursor ?? (this.chosen >= 0 ? beats.sample[this.chosen] : step > 0 ? this.viewport.start - 1 : this.viewport.stop);
    const sample = findNext(kind, step, from, this);
    if (sample === null) announce(`No ${step > 0 ? "further" : "earlier"} ${KINDS[kind]}.`);
    else this.jumpTo(sample);
  }

  jumpTo(sample) {
    this.viewport.center(sample);
    const index = nearestBeat(this.recording.beats.sample, sample, 0);
    if (index >= 0) this.choose(index);
    else announce(`Missed beat at ${time(sample / this.viewport.fs, 2)}.`);
    // the next jump goes on from here, where no beat was found too
    this.cursor = index >= 0 ? undefined : sample;
    this.redraw();
  }

  step(step) {
    const { sample, n } = this.recording.beats;
    const next = this.chosen >= 0 ? this.chosen + step : nearestBeat(sample, this.viewport.start + this.viewport.span / 2);
    if (next >= 0 && next < n) this.choose(next);
    this.cursor = undefined;
  }

  openMenu(index, origin, y = null) {
    const { class_names, classes, beats } = this.recording;
    const frame = byId("paper-frame").getBoundingClientRect();
    const box = origin.getBoundingClientRect();
    const onPaper = origin === byId("paper");
    const offset = onPaper ? Math.min(y ?? 52, box.height - 60) : box.bottom - frame.top;
    openMenu({
      title: `Beat ${index + 1} at ${time(beats.sample[index] / this.viewport.fs, 2)}`,
      labels: sorted(classes),
      names: class_names,
      current: this.labels.of(index),
      x: onPaper ? this.viewport.xOf(beats.sample[index]) + 22 : box.left - frame.left + 180,
      y: offset,
      onPick: (label) => this.labels.correct(index, label),
      onClose: () => (onPaper ? byId("paper") : byId("table")).focus({ preventScroll: true }),
    });
  }

  undo() {
    const index = this.labels.undo();
    if (index >= 0) this.choose(index);
  }

  onChange(index) {
    byId("undo").disabled = !this.labels.history.length;
    this.overview.invalidate();
    this.table.remarks.delete(index);
    drawMeans(this.recording, this.labels);
    this.figures.update();
    announce(this.describe(index));
  }

  /** Obey a key; return whether it is one of this view. */
  onKey(event) {
    const { viewport } = this;
    const page = event.shiftKey ? 0.9 : 0.12;
    const lower = event.key.toLowerCase();
    const actions = {
      ArrowLeft: () => this.moveTo(viewport.start - page * viewport.span),
      ArrowRight: () => this.moveTo(viewport.start + page * viewport.span),
      PageUp: () => this.moveTo(viewport.start - 0.9 * viewport.span),
      PageDown: () => this.moveTo(viewport.start + 0.9 * viewport.span),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(viewport.n_times),
      "+": () => this.zoom(ZOOM),
      "=": () => this.zoom(ZOOM),
      "-": () => this.zoom(1 / ZOOM),
      0: () => this.setSpeed(viewport.whole),
      n: () => this.step(1),
      p: () => this.step(-1),
      z: () => this.undo(),
      Enter: () => this.chosen >= 0 && this.openMenu(this.chosen, byId("paper")),
    };
    if (lower in KINDS) this.jump(lower, event.shiftKey ? -1 : 1);
    else if (event.key in actions) actions[event.key]();
    else return false;
    return true;
  }

  onOverviewKey(event) {
    const { viewport } = this;
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === "Home") this.moveTo(0);
    else if (event.key === "End") this.moveTo(viewport.n_times);
    else if (step) this.moveTo(viewport.start + (step * viewport.n_times) / 100);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
