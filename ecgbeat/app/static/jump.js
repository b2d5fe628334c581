// Search of the next beat of a kind: ventricular, uncertain, or in error.

import { lowerBound } from "./decode.js";

export const KINDS = { v: "ventricular beat", u: "uncertain beat", e: "error" };

/** Return the sample of the next one of a kind after `sample` (before it, if `step` is -1), or null. */
export function findNext(kind, step, sample, { recording, labels, errorSamples }) {
  const { beats } = recording;
  const samples = kind === "e" ? errorSamples : beats.sample;
  const accepts = {
    v: (i) => labels.of(i) === "V",
    u: (i) => beats.uncertain[i] && !labels.isCorrected(i),
    e: () => true,
  }[kind];
  let i = step > 0 ? lowerBound(samples, sample + 1) : lowerBound(samples, sample) - 1;
  for (; i >= 0 && i < samples.length; i += step) if (accepts(i)) return samples[i];
  return null;
}

/** Return the index of the beat nearest to a sample, or -1 if none is within `reach` samples. */
export function nearestBeat(samples, sample, reach = Infinity) {
  const after = lowerBound(samples, sample);
  const candidates = [after - 1, after].filter((i) => i >= 0 && i < samples.length);
  if (!candidates.length) return -1;
  const nearest = candidates.reduce((a, b) => (Math.abs(samples[b] - sample) < Math.abs(samples[a] - sample) ? b : a));
  return Math.abs(samples[nearest] - sample) <= reach ? nearest : -1;
}
