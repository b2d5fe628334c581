// Corrections of labels, which can be undone.

export class Labels extends EventTarget {
  constructor(beats) {
    super();
    this.beats = beats;
    this.original = beats.code.slice();
    this.history = [];
    this.isSaved = true;
  }

  of(index) { return this.beats.labels[this.beats.code[index]]; }

  isCorrected(index) { return this.beats.code[index] !== this.original[index]; }

  correct(index, label) {
    const before = this.beats.code[index];
    const after = this.beats.labels.indexOf(label);
    if (before === after) return;
    this.history.push([index, before]);
    this.set(index, after);
  }

  /** Take the last correction back; return the beat, or -1. */
  undo() {
    if (!this.history.length) return -1;
    const [index, before] = this.history.pop();
    this.set(index, before);
    return index;
  }

  set(index, code) {
    this.beats.code[index] = code;
    this.isSaved = false;
    this.dispatchEvent(new CustomEvent("change", { detail: index }));
  }

  counts() {
    const counts = new Map();
    for (const code of this.beats.code) {
      const label = this.beats.labels[code];
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return counts;
  }
}
