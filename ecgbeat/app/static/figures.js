// The figures that the server computes from the labels: runs, errors and the report of EC57.

import { byId, showError } from "./dom.js";
import { annotations } from "./downloads.js";
import { postJson } from "./request.js";

const DELAY_MS = 250; // quick corrections are one request

/** Notes on figures that are not those of the labels. */
export const NOTES = { current: "", computing: "computing …", old: "before the correction" };

export class Figures {
  /** `onFound(figures)` gets the figures of the labels as they are; `onState()` is called for each state. */
  constructor(view, { onFound, onState }) {
    Object.assign(this, { view, onFound, onState, state: "current", controller: new AbortController(), timer: 0 });
    byId("figures-again").onclick = () => this.compute();
  }

  /** Compute the figures again, once no more corrections follow. */
  update() {
    this.stop();
    this.timer = setTimeout(() => this.compute(), DELAY_MS);
    this.say("computing");
  }

  /** Forget what has been asked for, so that it never replaces something newer. */
  stop() {
    clearTimeout(this.timer);
    this.controller.abort();
  }

  async compute() {
    this.stop();
    const { signal } = (this.controller = new AbortController());
    this.say("computing");
    try {
      const answer = await postJson("/page/compare", comparable(this.view), signal);
      if (signal.aborted) return;
      this.onFound(JSON.parse(new TextDecoder().decode(answer.content)));
      this.say("current");
    } catch (error) {
      if (signal.aborted) return;
      this.say("old");
      showError(`${byId("figures-words").textContent} ${error.message}`);
    }
  }

  say(state) {
    this.state = state;
    byId("figures-old").hidden = state !== "old";
    const names = this.view.recording.reference ? "Runs, errors and the EC57 report" : "Runs";
    byId("figures-words").textContent = `${names} are those before the latest corrections.`;
    byId("ec57-state").textContent = NOTES[state];
    this.onState();
  }
}

function comparable(view) {
  const { reference, model } = view.recording;
  return { ...annotations(view), reference, model: model.name };
}
