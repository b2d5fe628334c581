// Summary of the recording in numbers and words, and the card of the model.

import { mark } from "./classes.js";
import { byId, element } from "./dom.js";
import { NOTES } from "./figures.js";
import { count, duration, percent, time } from "./format.js";

const MOST_EVENTS = 24; // buttons of runs and of pauses

/**
 * Fill the summary; `jumpTo(sample)` is called for a run or a pause. `state` is that of the figures,
 * which may be older than the labels.
 */
export function showSummary(recording, labels, state, jumpTo) {
  byId("tiles").replaceChildren(...tiles(recording, labels, state).map(([name, value, note]) => {
    const dd = element("dd", {}, value);
    if (note) dd.append(element("small", {}, note));
    return element("div", {}, element("dt", {}, name), dd);
  }));
  const counts = [...labels.counts()].sort((a, b) => b[1] - a[1]);
  byId("counts").replaceChildren(...counts.map(([label, n]) => {
    const share = n / recording.beats.n;
    const name = recording.class_names[label] ?? label;
    return element(
      "li",
      {},
      mark(label),
      element("span", {}, name),
      element("span", {}, `${count(n)} · ${percent(share)}`),
      element("meter", { value: share, max: 1, ariaLabel: `share of ${name}` }),
    );
  }));
  showEvents(recording, state, jumpTo);
}

function tiles({ summary, beats, unreadable, fs, n_times, errors, n_reference }, labels, state) {
  const rate = summary.heart_rate ?? {};
  const whole = (value) => (Number.isFinite(value) ? String(Math.round(value)) : "–");
  const lost = unreadable.reduce((sum, [from, to]) => sum + to - from, 0) / fs;
  let uncertain = 0;
  for (let i = 0; i < beats.n; i += 1) uncertain += beats.uncertain[i] && !labels.isCorrected(i) ? 1 : 0;
  const shown = [
    ["Heart rate", `${whole(rate.mean)} bpm`, `${whole(rate.min)} to ${whole(rate.max)}`],
    ["Beats", count(beats.n), `in ${duration(n_times / fs)}`],
    ["Uncertain", count(uncertain), beats.n ? percent(uncertain / beats.n) : ""],
    ["Unreadable", duration(lost), percent(lost / (n_times / fs))],
  ];
  if (n_reference !== null) shown.push(["Errors", count(errors.length), NOTES[state] || `of ${count(n_reference)} reference beats`]);
  if (labels.history.length) shown.push(["Corrected", count(beats.code.filter((_, i) => labels.isCorrected(i)).length), ""]);
  return shown;
}

function showEvents({ summary, fs }, state, jumpTo) {
  const lists = [
    ["Runs", NOTES[state], summary.runs, (run) => `${run.n_beats} ${run.name}, ${Math.round(run.heart_rate)} bpm`],
    ["Pauses", "", summary.pauses, (pause) => `${pause.duration_s.toFixed(1)} s`],
  ];
  byId("events").replaceChildren(...lists.map(([name, note, events, words]) => {
    const buttons = events.slice(0, MOST_EVENTS).map((event) => {
      const onclick = () => jumpTo(event.start);
      return element("li", {}, element("button", { type: "button", onclick }, `${time(event.start / fs, 0)} · ${words(event)}`));
    });
    const more = events.length > MOST_EVENTS ? `, the first ${MOST_EVENTS}` : "";
    const title = `${name}: ${count(events.length)}${more}${note && `, ${note}`}`;
    return element("div", {}, title, element("ul", {}, ...buttons));
  }));
}

const CARD_NAMES = {
  classes: "Classes", data: "Trained on", license: "License", protocol: "Protocol",
  scores: "Scores", not_for: "Not for", versions: "Versions", sha256: "SHA-256",
};

/** Fill the card of the model. */
export function showCard(card) {
  byId("card-title").textContent = card.title ?? card.name;
  byId("card").replaceChildren(...Object.entries(card).filter(([key]) => key in CARD_NAMES).map(([key, value]) => (
    element("div", {}, element("dt", {}, CARD_NAMES[key]), element("dd", {}, words(value)))
  )));
}

function words(value) {
  if (Array.isArray(value)) {
    const parts = value.map(words);
    return parts.join(parts.every((part) => part.endsWith(".")) ? " " : ", ");
  }
  if (value !== null && typeof value === "object") {
    return Object.entries(value).map(([name, part]) => `${name} ${words(part)}`).join("; ");
  }
  return String(value);
}
