// The page: its views, and the keys of the recording.

import { attachBeat, redrawBeat } from "./beat.js";
import { byId, hideError } from "./dom.js";
import { attachLive, stop } from "./live.js";
import { attachOpen } from "./open.js";
import { showModels } from "./models.js";
import { awaitBeats } from "./pending.js";
import { RecordingView } from "./recording.js";

const VIEWS = ["start", "recording", "beat", "live"];
let view = null;

function go(name) {
  if (name !== "live") stop();
  hideError();
  for (const other of VIEWS) byId(`view-${other}`).hidden = other !== name;
  for (const button of document.querySelectorAll("nav [data-go]")) {
    if (button.dataset.go === name) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  const title = document.querySelector(`#view-${name} h1`);
  document.title = name === "recording" ? `${title.textContent} – ecgbeat` : "ecgbeat";
  // the keys work at once in a recording; elsewhere a screen reader begins at the title
  if (name === "recording") byId("paper").focus({ preventScroll: true });
  else title.focus?.();
  window.scrollTo(0, 0);
}

function show(recording, beats) {
  view?.close();
  view = new RecordingView(recording);
  document.querySelector('nav [data-go="recording"]').disabled = false;
  const option = document.querySelector('#live-source [value="push"]');
  option.disabled = false;
  option.textContent = `Replay of ${recording.record_name}`;
  forgetFiles();
  go("recording");
  awaitBeats(view, beats);
}

const fillBeat = attachBeat();
const forgetFiles = attachOpen(show, (text) => {
  go("beat");
  fillBeat(text);
});
attachLive(() => view.recording);
showModels();

for (const button of document.querySelectorAll("[data-go]")) button.onclick = () => go(button.dataset.go);

document.addEventListener("keydown", (event) => {
  if (byId("view-recording").hidden || byId("busy").open) return;
  const isUndo = (event.ctrlKey || event.metaKey) && event.key === "z";
  if ((event.ctrlKey || event.metaKey || event.altKey) && !isUndo) return;
  const { target } = event;
  if (target.closest("select, input, textarea, #menu")) return;
  // Enter on a button presses it; the arrows scroll what has its own scroll bar
  if (event.key === "Enter" && target.closest("button, a, summary")) return;
  if (/^(Arrow|Page|Home|End)/.test(event.key) && target !== byId("paper") && target !== document.body) return;
  if (view.onKey(event)) event.preventDefault();
});

// the boxes of keys and leads close like menus
function closeBoxes(event) {
  for (const box of document.querySelectorAll("details.keys[open]")) {
    if (event.key === "Escape" || (event.type === "pointerdown" && !box.contains(event.target))) box.open = false;
  }
}
document.addEventListener("pointerdown", closeBoxes);
document.addEventListener("keydown", closeBoxes);

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  view?.recolor();
  redrawBeat();
});

// corrections are on this page only, until they are downloaded
window.addEventListener("beforeunload", (event) => {
  if (view !== null && view.labels.history.length && !view.labels.isSaved) event.preventDefault();
});
