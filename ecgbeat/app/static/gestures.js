// Wheel, drag, pinch and tap on a canvas.

const TAP_PX = 5; // moved by less, a drag is a tap

/** Call `pan(pixels)`, `zoom(factor, x)` and `tap(x, y)`; `pan` returns whether anything moved. */
export function attachGestures(canvas, { pan, zoom, tap }) {
  const pointers = new Map();
  let moved = 0;
  const xOf = (event) => event.clientX - canvas.getBoundingClientRect().left;

  canvas.onwheel = (event) => {
    if (event.ctrlKey || event.metaKey) {
      zoom(Math.exp(-event.deltaY * 0.004), xOf(event));
      event.preventDefault();
      return;
    }
    const delta = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 * delta : delta;
    // at the ends of the recording the wheel scrolls the page again
    if (pan(pixels)) event.preventDefault();
  };

  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    if (pointers.size === 1) moved = 0;
    canvas.classList.add("dragging");
  };

  canvas.onpointermove = (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const others = [...pointers.values()].filter((other) => other.pointerId !== event.pointerId);
    pointers.set(event.pointerId, event);
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (others.length === 0) {
      if (moved > TAP_PX) pan(before.clientX - event.clientX);
      return;
    }
    const [then, now] = [before, event].map((one) => Math.abs(one.clientX - others[0].clientX));
    zoom(Math.max(10, now) / Math.max(10, then), (xOf(event) + xOf(others[0])) / 2);
  };

  const end = (event) => {
    const wasTap = event.type === "pointerup" && pointers.size === 1 && pointers.has(event.pointerId) && moved <= TAP_PX;
    pointers.delete(event.pointerId);
    if (!pointers.size) canvas.classList.remove("dragging");
    if (wasTap) tap(xOf(event), event.clientY - canvas.getBoundingClientRect().top);
  };
  canvas.onpointerup = end;
  canvas.onpointercancel = end;
}
