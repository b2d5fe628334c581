// The menu of classes that corrects the label of a beat.

import { mark } from "./classes.js";
import { byId, element } from "./dom.js";

/** Open the menu at `x`, `y` of its frame; `onPick(label)` gets the class, `onClose` the focus back. */
export function openMenu({ title, labels, names, current, x, y, onPick, onClose }) {
  const menu = byId("menu");
  const close = () => {
    menu.hidden = true;
    document.removeEventListener("pointerdown", outside, true);
    onClose();
  };
  const outside = (event) => {
    if (menu.contains(event.target)) return;
    menu.hidden = true;
    document.removeEventListener("pointerdown", outside, true);
  };
  const pick = (label) => {
    close();
    onPick(label);
  };
  menu.replaceChildren(
    element("p", { role: "presentation" }, title),
    ...labels.map((label) => element(
      "button",
      { type: "button", role: "menuitemradio", ariaChecked: String(label === current), tabIndex: -1, onclick: () => pick(label) },
      mark(label, names[label] ?? ""),
    )),
  );
  menu.onkeydown = (event) => onKey(event, menu, labels, pick, close);
  menu.hidden = false;
  const frame = menu.parentElement;
  menu.style.left = `${Math.max(4, Math.min(x, frame.clientWidth - menu.offsetWidth - 4))}px`;
  menu.style.top = `${y}px`;
  document.addEventListener("pointerdown", outside, true);
  menu.scrollIntoView({ block: "nearest" }); // below a row at the end of the window
  (menu.querySelector('[aria-checked="true"]') ?? menu.querySelector("button")).focus({ preventScroll: true });
}

function onKey(event, menu, labels, pick, close) {
  event.stopPropagation();
  const items = [...menu.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const letter = labels.find((label) => label.toLowerCase() === event.key.toLowerCase());
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  else if (event.key === "Home") items[0].focus();
  else if (event.key === "End") items.at(-1).focus();
  else if (event.key === "Escape" || event.key === "Tab") close();
  else if (letter) pick(letter);
  else return;
  event.preventDefault();
}
