// The wait for the beats of a recording whose signal is drawn already.

import { decodeBeats } from "./decode.js";
import { announce, byId, showError } from "./dom.js";
import { count } from "./format.js";

/** Add the beats to a view once they are there; it has been closed if another recording was opened. */
export async function awaitBeats(view, beats) {
  const began = performance.now();
  const show = () => {
    const seconds = Math.round((performance.now() - began) / 1000);
    say(`Finding beats …${seconds > 2 ? ` ${seconds} s` : ""}`, true);
  };
  const timer = setInterval(show, 1000);
  view.onClose = () => {
    clearInterval(timer);
    beats.cancel();
  };
  byId("pending-cancel").onclick = beats.cancel;
  show();
  announce("The signal is drawn. Finding beats.");
  try {
    const part = await beats.next();
    if (view.isClosed) return;
    if (part === undefined) say("Beats: canceled");
    else view.addBeats(decodeBeats(part));
    announce(part === undefined ? "Canceled. The recording has no beats." : `${count(view.recording.beats.n)} beats were found.`);
  } catch (error) {
    if (view.isClosed) return;
    say("Beats: not found, because of an error");
    showError(error.message);
  } finally {
    clearInterval(timer);
    // the button is gone, and the focus with it
    if (!view.isClosed && document.activeElement === document.body) byId("paper").focus({ preventScroll: true });
  }
}

/** Show a state where the letters of the beats will be. */
function say(words, isRunning = false) {
  byId("pending-text").textContent = words;
  byId("pending").classList.toggle("running", isRunning);
  byId("pending-cancel").hidden = !isRunning;
}
