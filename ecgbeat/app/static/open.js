// The form that opens a recording: files dropped or chosen, and the fields that they need.

import { decodeSignal } from "./decode.js";
import { byId, element, hideError, showError } from "./dom.js";
import { postForParts, watchUpload, whileBusy } from "./request.js";

const KIND_OF = { hea: "header", dat: "signal", atr: "reference", edf: "whole", bdf: "whole", csv: "text", tsv: "text", txt: "text", npy: "array" };
const BEAT_LENGTHS = [187, 188]; // a beat, without and with its label
const LARGEST_BEAT_BYTES = 16_384;
const SIMULATED_S = 600;

const suffix = (file) => file.name.split(".").at(-1).toLowerCase();
const kindOf = (file) => KIND_OF[suffix(file)] ?? "signal"; // WFDB allows any name for signals

/**
 * Connect the form; `onRecording(recording, beats)` and `onBeat(text)` get what is opened. `beats`
 * has `next()`, which returns their part of the answer, and `cancel()`.
 */
export function attachOpen(onRecording, onBeat) {
  const files = new Map();
  let n_patients = 0;

  const submit = () => {
    const list = [...files.values()];
    const upload = { "x-upload": String(crypto.getRandomValues(new BigUint64Array(1))[0]) };
    const n_bytes = list.reduce((sum, file) => sum + file.size, 0);
    return open("Uploading and reading", ["/page/annotate", formOf(list), upload], onRecording, n_bytes);
  };
  const add = async (list) => {
    for (const file of list) files.set(file.name, file);
    const beat = await readBeat([...files.values()]);
    if (beat !== null) {
      files.clear();
      onBeat(beat);
    }
    show(files, add);
    if (isReady([...files.values()]) && !needsFields(files)) await submit();
  };

  byId("files").onchange = (event) => {
    add([...event.target.files]);
    event.target.value = "";
  };
  attachDrop(add);
  byId("open").onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
  byId("simulate").onclick = () => {
    const patient = { random_state: n_patients, seconds: SIMULATED_S };
    n_patients += 1; // the next click gives another patient
    const request = ["/page/simulate", JSON.stringify(patient), { "content-type": "application/json" }];
    open("Simulating a patient", request, onRecording);
  };
  show(files, add);
  return () => {
    files.clear();
    byId("leads").value = "";
    byId("damaged").checked = false;
    byId("reading-options").open = false;
    show(files, add);
  };
}

async function open(text, [address, body, headers], onRecording, n_bytes = 0) {
  const controller = new AbortController();
  let next;
  const first = async (onProgress, signal) => {
    const received = new AbortController(); // of the upload: its progress is no longer asked for
    next = postForParts(address, body, headers, (phase, share) => {
      received.abort();
      onProgress(phase, share);
    }, signal);
    if (n_bytes) watchUpload(headers["x-upload"], n_bytes, onProgress, received.signal);
    try {
      return await next();
    } finally {
      received.abort();
    }
  };
  try {
    const part = await whileBusy(text, first, controller);
    if (part !== undefined) onRecording(decodeSignal(part), { next, cancel: () => controller.abort() });
  } catch (error) {
    showError(error.message);
  }
}

function formOf(files) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  form.append("model", byId("model").value);
  if (!byId("fs").closest("[data-when]").hidden) {
    if (byId("fs").value) form.append("fs", byId("fs").value);
    form.append("unit", byId("unit").value);
  }
  if (byId("leads").value.trim()) form.append("leads", byId("leads").value);
  if (byId("damaged").checked) form.append("verify", "false");
  return form;
}

function attachDrop(add) {
  const zone = byId("drop");
  // a file that misses the zone would replace the page
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (!byId("view-start").hidden && event.dataTransfer.files.length) add([...event.dataTransfer.files]);
  });
  zone.addEventListener("dragover", () => zone.classList.add("over"));
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
}

/** Return the text of a single beat, or null if the files are something else. */
async function readBeat(files) {
  if (files.length !== 1 || kindOf(files[0]) !== "text" || files[0].size > LARGEST_BEAT_BYTES) return null;
  const text = await files[0].text();
  return BEAT_LENGTHS.includes(text.split(/[\s,;]+/).filter(Boolean).length) ? text : null;
}

/** Return what is still missing, as a sentence, "" if nothing is. */
function missing(files) {
  const kinds = new Set(files.map(kindOf));
  if (kinds.has("header") && !kinds.has("signal")) return "Add the signal file of this header (.dat).";
  if (kinds.has("signal") && !kinds.has("header")) return "Add the header of this record (.hea).";
  if (files.length && kinds.size === 1 && kinds.has("reference")) return "Add the record of these annotations (.hea and .dat).";
  return "";
}

const isReady = (files) => files.length > 0 && missing(files) === "";
const needsFields = (files) => [...files.values()].some((file) => ["text", "array"].includes(kindOf(file)));

/** Show the files, and the fields that they need. */
function show(files, add) {
  const list = [...files.values()];
  const kinds = list.map(kindOf);
  byId("chosen").replaceChildren(...list.map((file) => {
    const onclick = () => {
      files.delete(file.name);
      hideError();
      show(files, add);
    };
    return element("li", {}, file.name, element("button", { type: "button", ariaLabel: `Remove ${file.name}`, onclick }, "×"));
  }));
  for (const field of document.querySelectorAll("[data-when]")) {
    field.hidden = !field.dataset.when.split(" ").some((kind) => kinds.includes(kind));
  }
  byId("needed").textContent = missing(list);
  byId("fs").required = kinds.includes("array");
  byId("annotate").hidden = !isReady(list);
}
