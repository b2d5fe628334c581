// Annotations and the report as files, with the corrected labels.

import { stretch } from "./decode.js";
import { announce, byId, element, showError } from "./dom.js";
import { meanBeats } from "./means.js";
import { postJson, whileBusy } from "./request.js";

const STRIP_S = 8;
const MOST_STRIPS = 6;
const MOST_LEADS = 12; // of a strip

/** Connect the buttons of a view. */
export function attachDownloads(view) {
  for (const button of document.querySelectorAll("[data-download]")) {
    const format = button.dataset.download;
    button.onclick = () => save(`/page/download?format=${format}`, annotations(view), `annotations.${format}`, view);
  }
  byId("report").onclick = () => save("/page/report", reportOf(view), "report.pdf", view);
}

async function save(address, content, fallback, view) {
  try {
    const answer = await whileBusy("Writing the file", (_, signal) => postJson(address, content, signal));
    if (answer === undefined) return;
    const href = URL.createObjectURL(new Blob([answer.content]));
    const name = answer.name ?? fallback;
    element("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    view.labels.isSaved = true;
    announce(`${name} was written.`);
  } catch (error) {
    showError(error.message);
  }
}

/** Return the beats of a view with their labels as they are, for the server. */
export function annotations({ recording, labels }) {
  const { record_name, fs, n_times, beats, unreadable } = recording;
  const label = Array.from(beats.code, (_, index) => labels.of(index));
  // a person who corrects a label is sure of it
  const probability = Array.from(beats.probability, (p, index) => (labels.isCorrected(index) ? 1 : Number(p.toFixed(3))));
  return { record_name, fs, n_times, unreadable, beats: { sample: Array.from(beats.sample), label, probability } };
}

function reportOf(view) {
  const drawn = view.shown.slice(0, MOST_LEADS);
  const { model, fs } = view.recording;
  const mean_beats = meanBeats(view.recording, view.labels, drawn);
  const content = annotations(view);
  const strips = stripStarts(view).map((start) => {
    const part = stretch(view.recording, start, start + STRIP_S * fs);
    // JSON has no NaN
    const leads = drawn.map((lead) => part.leads[lead]).map((values) => Array.from(values, (mV) => (Number.isNaN(mV) ? null : Number(mV.toFixed(3)))));
    return { start: part.start, fs: part.fs, leads };
  });
  const lead_names = drawn.map((lead) => view.recording.lead_names[lead]);
  return { ...content, lead_names, model: model.name, mean_beats, strips };
}

/** Return where strips begin: at the place in view, and about the first beats of each rare class. */
function stripStarts({ recording, viewport }) {
  const starts = [viewport.start];
  const span = STRIP_S * recording.fs;
  const isNew = (start) => starts.every((other) => Math.abs(other - start) > span / 2);
  for (const label of recording.beats.labels.filter((name) => name !== "N")) {
    const first = recording.beats.code.indexOf(recording.beats.labels.indexOf(label));
    if (first < 0) continue;
    const start = Math.max(0, recording.beats.sample[first] - span / 2);
    if (isNew(start)) starts.push(start);
  }
  const latest = Math.max(0, recording.n_times - span);
  return starts.slice(0, MOST_STRIPS).map((start) => Math.round(Math.min(start, latest))).sort((a, b) => a - b);
}
