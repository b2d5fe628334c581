// Requests to the server, with progress, a way to cancel, and its sentence for each error.

import { byId, hideError } from "./dom.js";

/** Error with the sentence of the server. */
export class ServerError extends Error {}

/** Return the answer to a POST as an ArrayBuffer; undefined if it was canceled. */
export function post(address, body, headers = {}, onProgress = () => {}, signal = null) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch knows no progress of an upload
    request.open("POST", address);
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onProgress("Uploading", loaded / total);
    request.upload.onload = () => onProgress("Finding and naming beats", null);
    request.onprogress = ({ loaded, lengthComputable, total }) => {
      onProgress("Receiving", lengthComputable ? loaded / total : null);
    };
    request.onload = () => {
      if (request.status < 300) resolve({ content: request.response, name: fileName(request) });
      else reject(new ServerError(sentence(request)));
    };
    request.onerror = () => reject(new ServerError("The server cannot be reached. Is ecgbeat still running?"));
    request.onabort = () => resolve(undefined);
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** Return the answer to a POST of JSON. */
export function postJson(address, value, ...rest) {
  return post(address, JSON.stringify(value), { "content-type": "application/json" }, ...rest);
}

function sentence(request) {
  try {
    return JSON.parse(new TextDecoder().decode(request.response)).error;
  } catch {
    return `The server answered with status ${request.status}.`;
  }
}

function fileName(request) {
  const header = request.getResponseHeader("content-disposition") ?? "";
  return /filename="?([^";]+)"?/.exec(header)?.[1] ?? null;
}

/** Show the dialog of progress while `work(onProgress, signal)` runs; return its result. */
export async function whileBusy(text, work) {
  const [dialog, controller] = [byId("busy"), new AbortController()];
  const began = performance.now();
  let [phase, share] = [text, null];
  const show = () => {
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
      [phase, share] = [name, part];
      show();
    }, controller.signal);
  } finally {
    clearInterval(timer);
    dialog.close();
  }
}
