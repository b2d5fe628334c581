// The parts of an answer: counts of the signal in levels, with a header, and the beats.

import { sorted } from "./classes.js";

const MISSING = -32768;
const SAMPLED = 20_000; // values of a lead from which its range is taken

/** Return the recording of the first part: its JSON, with typed arrays for levels, and no beats yet. */
export function decodeSignal(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 4 + Math.ceil(length / 4) * 4;
  const n_leads = header.lead_names.length;
  const levels = header.levels.map(({ step, kind, offset, n_columns }) => {
    const width = kind === "minmax" ? 2 : 1;
    const counts = new Int16Array(buffer, start + offset, n_leads * n_columns * width);
    return { step, n_columns, width, counts };
  });
  const beats = typedBeats({ beats: { sample: [], label: [], probability: [], uncertain: [] }, classes: [] });
  return { ...header, levels, beats, hasBeats: false, reference: null, errors: [], unreadable: [], ranges: leadRanges(levels, n_leads, header.scale) };
}

/** Return what the second part adds to a recording, or raise its error. */
export function decodeBeats(buffer) {
  const found = JSON.parse(new TextDecoder().decode(buffer));
  if (found.error) throw new Error(found.error);
  return { ...found, beats: typedBeats(found), hasBeats: true };
}

function typedBeats({ beats, classes }) {
  const labels = sorted(new Set([...classes, ...beats.label]));
  const codes = new Map(labels.map((label, code) => [label, code]));
  return {
    labels,
    n: beats.sample.length,
    sample: Int32Array.from(beats.sample),
    code: Uint8Array.from(beats.label, (label) => codes.get(label)),
    probability: Float32Array.from(beats.probability),
    uncertain: Uint8Array.from(beats.uncertain),
  };
}

/** Return the usual lowest, middle and highest mV of each lead, from some of its samples. */
function leadRanges(levels, n_leads, scale) {
  const { counts, n_columns, width } = levels[0];
  const size = n_columns * width;
  const step = Math.max(1, Math.floor(size / SAMPLED)) | 1; // odd, for minima and maxima in turn
  return Array.from({ length: n_leads }, (_, lead) => {
    const picked = Int16Array.from({ length: Math.floor(size / step) }, (_, i) => counts[lead * size + i * step]);
    const values = picked.filter((value) => value !== MISSING);
    if (!values.length) return { low: -0.5, middle: 0, high: 0.5 };
    values.sort();
    const at = (share) => scale * values[Math.round(share * (values.length - 1))];
    return { low: at(0.005), middle: at(0.5), high: at(0.995) };
  });
}

/** Return the coarsest level that still has a column for each pixel. */
export function levelFor(recording, samplesPerPixel) {
  const { levels } = recording;
  let chosen = levels[0];
  for (const level of levels) if (level.step <= samplesPerPixel) chosen = level;
  return chosen;
}

/**
 * Call `visit(sample, mV, isNew)` for the points of a lead between two samples. `isNew` begins a
 * new line, after a gap. Of a column's minimum and maximum the one nearer to the last point is
 * first, so that the line does not zigzag.
 */
export function walk(recording, level, lead, first, last, visit) {
  const { counts, n_columns, width, step } = level;
  const start = Math.max(0, Math.floor(first / step));
  const stop = Math.min(n_columns, Math.ceil(last / step) + 1);
  let index = (lead * n_columns + start) * width;
  let isNew = true;
  let previous = 0;
  for (let column = start; column < stop; column += 1, index += width) {
    const low = counts[index];
    if (low === MISSING) {
      isNew = true;
      continue;
    }
    if (width === 1) {
      visit(column * step, low * recording.scale, isNew);
    } else {
      const high = counts[index + 1];
      const isRising = Math.abs(low - previous) <= Math.abs(high - previous);
      const [begin, end] = isRising ? [low, high] : [high, low];
      // the middle of samples 0 to 3 is 1.5
      visit((column + 0.25) * step - 0.5, begin * recording.scale, isNew);
      if (begin !== end) visit((column + 0.75) * step - 0.5, end * recording.scale, false);
      previous = end;
    }
    isNew = false;
  }
}

/** Return evenly spaced mV of all leads between two samples, NaN where missing, and their rate. */
export function stretch(recording, first, last) {
  const level = recording.levels[0];
  const spacing = level.step / level.width;
  const start = Math.max(0, Math.ceil(first / level.step) * level.step);
  const n = Math.max(0, Math.floor((Math.min(last, recording.n_times) - start) / spacing));
  const leads = recording.lead_names.map((_, lead) => {
    const values = new Float32Array(n).fill(NaN);
    walk(recording, level, lead, start, start + n * spacing, (sample, mV) => {
      const at = Math.floor((sample - start) / spacing);
      // a column of equal minimum and maximum is visited once
      if (at >= 0 && at < n) values.fill(mV, at, Math.min(n, at + level.width));
    });
    return values;
  });
  return { start, fs: recording.fs / spacing, leads };
}

/** Return the index of the first of sorted samples that is not below `sample`. */
export function lowerBound(sorted, sample) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < sample) low = middle + 1;
    else high = middle;
  }
  return low;
}
