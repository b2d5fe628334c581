// The live view: a WebSocket that sends a simulated patient, or gets the open recording.

import { stretch } from "./decode.js";
import { byId, element, hideError, showError } from "./dom.js";
import { time } from "./format.js";
import { Monitor } from "./monitor.js";

const MODEL = "nsvf-live";
const SIMULATED_FS = 360;
const CHUNK_MS = 200; // between two messages of a replay
const MOST_LEADS = 2; // of a replay
const LAST_BEATS = 12;
const MOST_ALARMS = 50;

let session = null;
let n_patients = 0;

/** Connect the form; `getRecording()` returns the open recording, or null. */
export function attachLive(getRecording) {
  byId("live-form").onsubmit = (event) => {
    event.preventDefault();
    const isPush = byId("live-source").value === "push";
    start(isPush ? getRecording() : null, Number(byId("live-speed").value));
  };
  byId("live-stop").onclick = () => stop("Stopped");
}

/** End the connection, if there is one. */
export function stop(state = "Not connected") {
  if (session === null) return;
  const { socket, timer, frame } = session;
  session = null;
  clearInterval(timer);
  cancelAnimationFrame(frame);
  socket.onclose = null;
  socket.close();
  showState(state, false);
}

function start(recording, speed) {
  stop();
  hideError();
  const source = recording === null ? null : stretch(recording, 0, 0);
  const fs = source === null ? SIMULATED_FS : source.fs;
  const n_leads = recording === null ? 1 : Math.min(MOST_LEADS, recording.lead_names.length);
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
  const current = { socket, speed, monitor: new Monitor(byId("live-canvas"), fs, n_leads), counts: new Map(), last: [], timer: 0, frame: 0 };
  session = current;
  clear();
  showState("Connecting …", true);
  socket.onopen = () => {
    socket.send(JSON.stringify({ source: recording ? "push" : "simulated", model: MODEL, random_state: n_patients, speed, fs, n_leads }));
    n_patients += 1;
    showState(recording ? "Replaying the recording" : "Simulated patient", true);
    if (recording) replay(current, recording, fs, n_leads);
    animate(current);
  };
  socket.onmessage = ({ data }) => receive(current, JSON.parse(data));
  socket.onerror = () => showError("The live connection failed. Is ecgbeat still running?");
  socket.onclose = ({ reason }) => {
    if (session !== current) return;
    if (reason) showError(reason);
    stop("Ended");
  };
}

function showState(text, isRunning) {
  byId("live-state").textContent = text;
  byId("live-stop").disabled = !isRunning;
}

function clear() {
  byId("live-rate").textContent = "--";
  byId("live-beats").textContent = "–";
  byId("live-counts").textContent = "–";
  byId("alarms").replaceChildren();
  byId("no-alarms").hidden = false;
}

/** Send the recording at the pace of its clock. */
function replay(current, recording, fs, n_leads) {
  const { socket, monitor, speed } = current;
  const spacing = recording.fs / fs;
  const began = performance.now();
  let sent = 0;
  current.timer = setInterval(() => {
    const total = Math.floor(recording.n_times / spacing);
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * fs * speed));
    // a minute at once at most, if the page slept
    const stop = Math.min(due, sent + Math.ceil(60 * fs));
    if (stop > sent) {
      const { leads } = stretch(recording, sent * spacing, stop * spacing);
      const chosen = leads.slice(0, n_leads);
      const n = chosen[0].length;
      const message = new Float32Array(n_leads * n);
      chosen.forEach((values, lead) => message.set(values, lead * n));
      if (n) socket.send(message);
      if (n) monitor.push(chosen);
      sent = stop;
    }
    if (sent >= total) {
      clearInterval(current.timer);
      socket.send(JSON.stringify({ end: true }));
    }
  }, CHUNK_MS);
}

function receive(current, message) {
  if (session !== current) return;
  if (message.error) {
    showError(message.error);
    stop("Ended");
    return;
  }
  const { monitor, counts } = current;
  if (message.samples?.length) monitor.push(message.samples);
  monitor.addBeats(message.beats ?? []);
  for (const { label } of message.beats ?? []) {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    current.last = [...current.last, label].slice(-LAST_BEATS);
  }
  if (message.beats?.length) {
    byId("live-beats").textContent = current.last.join("");
    byId("live-counts").textContent = [...counts].sort((a, b) => b[1] - a[1]).map(([label, n]) => `${label} ${n}`).join(" · ");
  }
  byId("live-rate").textContent = message.heart_rate ? String(Math.round(message.heart_rate)) : "--";
  for (const alarm of message.alarms ?? []) showAlarm(alarm, monitor.fs);
  if (message.ended) showState("The recording has ended", false);
}

function showAlarm({ sample, text }, fs) {
  byId("no-alarms").hidden = true;
  byId("alarms").prepend(element("li", {}, element("time", {}, time(sample / fs, 0)), text));
  while (byId("alarms").children.length > MOST_ALARMS) byId("alarms").lastChild.remove();
}

function animate(current) {
  let before = performance.now();
  const frame = (now) => {
    if (session !== current) return;
    current.monitor.advance((now - before) / 1000, current.speed);
    before = now;
    current.monitor.draw();
    current.frame = requestAnimationFrame(frame);
  };
  current.frame = requestAnimationFrame(frame);
}
