/**
 * Pulls a model in a page: live bars, cancel and resume, with nothing but the platform.
 *
 * @module
 */

import { pull } from "@ollama-pull/kit";

const form = document.querySelector("form");
const status = document.querySelector("#status");
const whole = document.querySelector("#whole");
const list = document.querySelector("#layers");
const { model, host, start, cancel } = form.elements;

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A number of bytes in words, such as `2.02 GB`. */
function bytes(count) {
  const power = Math.min(Math.floor(Math.log10(Math.max(count, 1)) / 3), UNITS.length - 1);
  const options = { style: "unit", unit: UNITS[power], maximumSignificantDigits: 3 };
  return new Intl.NumberFormat("en", options).format(count / 1000 ** power);
}

function describe(progress) {
  const { phase, status, completed, total, totalIsKnown, bytesPerSecond, etaSeconds } = progress;
  if (phase !== "downloading") return status;
  const parts = [totalIsKnown ? `${bytes(completed)} of ${bytes(total)}` : bytes(completed)];
  if (bytesPerSecond !== undefined) parts.push(`${bytes(bytesPerSecond)}/s`);
  const atLeast = totalIsKnown ? "" : "at least "; // of the layers that are known
  if (etaSeconds !== undefined) parts.push(`${atLeast}${Math.ceil(etaSeconds)} s left`);
  return parts.join(", ");
}

function newItem() {
  const item = document.createElement("li");
  item.append(...["span", "span", "progress"].map((tag) => document.createElement(tag)));
  return item;
}

function showLayer({ digest, status, completed, total = 0, done }, item) {
  const [name, size, bar] = item.children;
  name.textContent = digest?.replace("sha256:", "").slice(0, 12) ?? status;
  size.textContent = done ? `${bytes(total)} ✓` : `${bytes(completed)} of ${bytes(total)}`;
  bar.max = total || 1;
  bar.value = completed;
}

function show(progress) {
  status.textContent = describe(progress);
  whole.value = progress.fraction;
  for (const [index, layer] of progress.layers.entries()) {
    showLayer(layer, list.children[index] ?? list.appendChild(newItem()));
  }
}

/** Says what has failed. A page is not told whether a server is not there, or keeps it out. */
function explain({ code, message }) {
  if (code !== "network") return `${message}.`;
  return `${message}. Is Ollama running there, and ${location.origin} among its OLLAMA_ORIGINS?`;
}

form.onsubmit = async (event) => {
  event.preventDefault();
  const controller = new AbortController();
  const { signal } = controller;
  cancel.onclick = () => controller.abort();
  start.disabled = true;
  cancel.disabled = false;
  status.className = "";
  list.replaceChildren();
  try {
    const onRetry = ({ error, delayMs }) => {
      status.textContent = `${explain(error)} Another attempt in ${Math.ceil(delayMs / 1000)} s.`;
    };
    const options = { host: host.value, signal, retries: 5, onRetry };
    for await (const progress of pull(model.value, options)) show(progress);
    start.textContent = "Pull";
  } catch (error) {
    if (!signal.aborted) status.className = "failed";
    status.textContent = signal.aborted ? "Cancelled. What has arrived is kept." : explain(error);
    start.textContent = "Resume";
  } finally {
    start.disabled = false;
    cancel.disabled = true;
  }
};

// The page's address may name the model and the server: `?model=tiny&host=http://127.0.0.1:11435`.
for (const [name, value] of new URLSearchParams(location.search)) {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}
