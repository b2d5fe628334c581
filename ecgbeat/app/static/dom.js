// Small helpers for the document. Text of others reaches the page as text nodes only.

export const byId = (id) => document.getElementById(id);

/** Return a new element with properties or attributes, and children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Have a screen reader say a sentence. */
export function announce(sentence) {
  byId("status").textContent = sentence;
}

/** Show a sentence as an error, until it is closed or `hideError` is called. */
export function showError(sentence) {
  const close = element("button", { type: "button", onclick: hideError }, "Close");
  byId("alert").replaceChildren(
    element("div", { className: "alert" }, element("span", {}, sentence), close),
  );
  byId("alert").scrollIntoView({ block: "nearest" });
}

export function hideError() {
  byId("alert").replaceChildren();
}

/** Return a function that runs `work` once before the next frame, however often it is called. */
export function onceAFrame(work) {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      work();
    });
  };
}

/** Give a canvas the size of its box in the pixels of the screen; return its context in CSS pixels. */
export function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
