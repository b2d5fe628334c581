// The table of beats, of which only the rows in view are in the document.

import { mark } from "./classes.js";
import { byId, element, onceAFrame } from "./dom.js";
import { time } from "./format.js";
import { lowerBound } from "./decode.js";

const ROW_PX = 34;
const MARGIN = 6; // rows above and below those in view

export class BeatTable {
  /** `onChoose(index)` is called for a chosen beat, `onOpen(index, element)` to correct it. */
  constructor(recording, labels, { onChoose, onOpen }) {
    Object.assign(this, { recording, labels, remarks: new Map(), onChoose, onOpen, chosen: -1 });
    this.box = byId("table");
    this.rows = byId("rows");
    this.rows.replaceChildren();
    this.drawn = new Map(); // rows in the document, by what they say
    this.update = onceAFrame(() => this.draw());
    this.box.onscroll = this.update;
    this.box.onkeydown = (event) => this.onKey(event);
    this.fillFilter();
    this.applyFilter();
  }

  fillFilter() {
    const { beats, class_names, reference } = this.recording;
    const options = [["all", "all beats"]];
    for (const label of beats.labels) options.push([`class ${label}`, `${label}: ${class_names[label] ?? label}`]);
    options.push(["uncertain", "uncertain"], ["corrected", "corrected"]);
    if (reference !== null) options.push(["error", "errors"]);
    const filter = byId("filter");
    filter.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
    filter.onchange = () => this.applyFilter();
  }

  applyFilter() {
    const { beats } = this.recording;
    const [kind, label] = byId("filter").value.split(" ");
    const code = beats.labels.indexOf(label);
    const accepts = {
      all: () => true,
      class: (i) => beats.code[i] === code,
      uncertain: (i) => beats.uncertain[i],
      corrected: (i) => this.labels.isCorrected(i),
      error: (i) => this.remarks.has(i),
    }[kind];
    const kept = [];
    for (let i = 0; i < beats.n; i += 1) if (accepts(i)) kept.push(i);
    this.shown = Int32Array.from(kept);
    this.box.ariaRowCount = String(kept.length + 1);
    this.rows.style.height = `${kept.length * ROW_PX}px`;
    byId("empty").hidden = kept.length > 0;
    this.update();
  }

  choose(index, isScrolled = true) {
    this.chosen = index;
    const row = lowerBound(this.shown, index);
    if (isScrolled && this.shown[row] === index) {
      const [top, view] = [row * ROW_PX, this.box.clientHeight - 2 * ROW_PX];
      if (top < this.box.scrollTop || top > this.box.scrollTop + view) this.box.scrollTop = top - view / 2;
    }
    this.update();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW_PX) - MARGIN);
    const last = Math.min(this.shown.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW_PX) + MARGIN);
    const drawn = new Map();
    for (let row = first; row < last; row += 1) {
      const index = this.shown[row];
      const content = [row, index, this.labels.of(index), ...this.remarkOf(index)].join(" ");
      const node = this.drawn.get(content) ?? this.makeRow(row);
      node.ariaSelected = String(index === this.chosen);
      drawn.set(content, node);
    }
    // a row that says the same stays in the document: in place of it, a click that has begun is lost
    for (const [content, node] of this.drawn) if (!drawn.has(content)) node.remove();
    [...drawn.values()].forEach((node, place) => {
      if (this.rows.children[place] !== node) this.rows.insertBefore(node, this.rows.children[place] ?? null);
    });
    this.drawn = drawn;
    const active = byId(`beat-${this.chosen}`);
    if (active) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  makeRow(row) {
    const { beats, class_names, fs } = this.recording;
    const index = this.shown[row];
    const label = this.labels.of(index);
    const interval = index ? Math.round((1000 * (beats.sample[index] - beats.sample[index - 1])) / fs) : "–";
    const [remark, isBad] = this.remarkOf(index);
    const cell = (content, className = "") => element("span", { role: "gridcell", className }, content);
    const node = element(
      "div",
      { className: "row", role: "row", id: `beat-${index}`, ariaRowIndex: String(row + 2) },
      cell(String(index + 1)),
      cell(time(beats.sample[index] / fs, 2)),
      cell(mark(label, class_names[label] ?? "")),
      cell(String(interval), "optional"),
      cell(this.labels.isCorrected(index) ? "–" : beats.probability[index].toFixed(2)),
      cell(remark, `remark${isBad ? " bad" : ""}`),
    );
    node.style.transform = `translateY(${row * ROW_PX}px)`;
    node.onclick = () => this.onChoose(index);
    node.ondblclick = () => this.onOpen(index, node);
    return node;
  }

  remarkOf(index) {
    const { beats } = this.recording;
    const error = this.remarks.get(index);
    const words = error === undefined ? [] : [error];
    if (this.labels.isCorrected(index)) words.push(`corrected, was ${beats.labels[this.labels.original[index]]}`);
    else if (!words.length && beats.uncertain[index]) words.push("uncertain");
    return [words.join("; "), error !== undefined];
  }

  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Enter" && this.chosen >= 0) {
      event.preventDefault();
      event.stopPropagation();
      this.onOpen(this.chosen, byId(`beat-${this.chosen}`) ?? this.box);
    }
    if (step === undefined || !this.shown.length) return;
    event.preventDefault();
    event.stopPropagation();
    const row = this.chosen < 0 ? -1 : lowerBound(this.shown, this.chosen);
    const next = Math.max(0, Math.min(this.shown.length - 1, row + step));
    this.onChoose(this.shown[next]);
  }
}
