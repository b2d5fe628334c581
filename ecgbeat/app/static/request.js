// Requests to the server, with progress, a way to cancel, and its sentence for each error.

import { byId, hideError } from "./dom.js";

const ASK_MS = 300; // between two questions for the progress of an upload

/** Error with the sentence of the server. */
export class ServerError extends Error {}

/** Return the answer to a POST, a Response; undefined if it was canceled. */
async function post(address, body, headers, signal) {
  try {
    const response = await fetch(address, { method: "POST", body, headers, signal });
    if (response.ok) return response;
    throw new ServerError(await sentence(response));
  } catch (error) {
    return orCanceled(error);
  }
}

/** Throw an error as a sentence, unless it is that of a canceled request. */
function orCanceled(error) {
  if (error.name === "AbortError") return undefined;
  if (error instanceof ServerError) throw error;
  throw new ServerError("The server cannot be reached. Is ecgbeat still running?");
}

async function sentence(response) {
  try {
    return (await response.json()).error;
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

/** Return the answer to a POST of JSON, and the name of the file that it is; undefined if canceled. */
export async function postJson(address, value, signal = null) {
  const response = await post(address, JSON.stringify(value), { "content-type": "application/json" }, signal);
  const header = response?.headers.get("content-disposition") ?? "";
  try {
    return response && { content: await response.arrayBuffer(), name: /filename="?([^";]+)"?/.exec(header)?.[1] ?? null };
  } catch (error) {
    return orCanceled(error);
  }
}

/**
 * Return a function whose calls return the parts of the answer to a POST, each an ArrayBuffer as
 * soon as it is there. They return undefined if the request was canceled.
 */
export function postForParts(address, body, headers, onProgress, signal) {
  let reader = null;
  const part = async () => {
    const length = await read(reader, 4);
    return read(reader, new DataView(length).getUint32(0, true), (share) => onProgress("Receiving", share));
  };
  return async () => {
    try {
      if (reader === null) {
        const response = await post(address, body, headers, signal);
        if (response === undefined) return undefined;
        reader = { stream: response.body.getReader(), rest: new Uint8Array(0) };
      }
      return await part();
    } catch (error) {
      return orCanceled(error);
    }
  };
}

/**
 * Call `onProgress` with the share of an upload that the server has received, until it has all. The
 * upload has the header `x-upload` with its name; `fetch` does not tell how much of it was sent.
 */
export async function watchUpload(name, n_bytes, onProgress, signal) {
  let before = null;
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    let received;
    try {
      received = (await (await fetch(`/page/received?upload=${name}`, { signal })).json()).n_bytes;
    } catch {
      return; // the upload itself has an error, too
    }
    const isOver = received === null ? before !== null : received >= n_bytes;
    if (isOver) return signal.aborted || onProgress("Reading", null);
    if (received !== null) onProgress("Uploading", received / n_bytes);
    before = received;
  }
}

/** Return the next bytes of a stream as an ArrayBuffer of their own. */
async function read(reader, n_bytes, onShare = () => {}) {
  const bytes = new Uint8Array(n_bytes);
  let filled = 0;
  while (filled < n_bytes) {
    if (!reader.rest.length) {
      const { value, done } = await reader.stream.read();
      if (done) throw new ServerError("The answer of the server is incomplete. Is ecgbeat still running?");
      reader.rest = value;
    }
    const taken = reader.rest.subarray(0, n_bytes - filled);
    bytes.set(taken, filled);
    filled += taken.length;
    reader.rest = reader.rest.subarray(taken.length);
    onShare(filled / n_bytes);
  }
  return bytes.buffer;
}

/** Show the dialog of progress while `work(onProgress)` runs; return its result. */
export async function whileBusy(text, work, controller = new AbortController()) {
  const dialog = byId("busy");
  const began = performance.now();
  let [phase, share] = [text, null];
  let isOver = false; // a later part is no longer waited for here
  const show = () => {
    if (isOver) return;
    const seconds = Math.round((performance.now() - began) / 1000);
    byId("busy-text").textContent = share === null ? `${phase} …${seconds > 2 ? ` ${seconds} s` : ""}` : `${phase} … ${Math.round(100 * share)} %`;
    if (share === null) byId("busy-progress").removeAttribute("value");
    else byId("busy-progress").value = share;
  };
  const timer = setInterval(show, 1000);
  byId("cancel").onclick = () => controller.abort();
  dialog.oncancel = () => controller.abort();
  hideError();
  show();
  dialog.showModal();
  try {
    return await work((name, part) => {
      const isNew = name !== phase;
      [phase, share] = [name, part];
      if (isNew) show();
    }, controller.signal);
  } finally {
    isOver = true;
    clearInterval(timer);
    dialog.close();
  }
}
