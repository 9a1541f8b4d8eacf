/**
 * A page that starts, watches and cancels the pull of a model, together with whoever else has it open.
 *
 *     pages ── start, watch, cancel ──▶ relay in serve.ts ── one pull ──▶ Ollama
 *
 * The address says what is shown: `?model=llama3.2` watches that pull, as after a reload. With
 * `?host=http://127.0.0.1:11434`, the page pulls from Ollama itself: it needs no relay, but nobody else
 * sees the pull, which ends with the page.
 *
 * @module
 */

import { formatProgress, pull } from "@ollama-pull/kit";
import { cancelPull, watchPull } from "@ollama-pull/kit/relay";

const RELAY = "/api";

const PHASES = {
  manifest: "Looking for the model",
  downloading: "Downloading",
  verifying: "Checking the download",
  writing: "Saving",
  removing: "Cleaning up",
  success: "Ready to use",
};

/** What to say where a pull has ended, but not failed: by the error's name or reason. */
const ENDS = {
  AbortError: "Cancelled. What has arrived is kept.",
  "not-running": "Nobody is pulling this model now. If it is not there yet, press Pull.",
};

/** What to do about a failure, by its reason. */
const ADVICE = {
  "disk-full": "Make room on the server's disk, and press Pull again: what has arrived is kept.",
  "model-not-found": "Check the name.",
};

const find = (selector) => document.querySelector(selector);
const { model, start, cancel } = find("form").elements;
const address = new URL(location);
const host = address.searchParams.get("host");

const join = (...parts) => parts.filter(Boolean).join(", ");

function say(text, { state = "", pace = "" } = {}) {
  const status = find("#status");
  if (status.textContent !== text) status.textContent = text; // which screen readers announce
  find("#pace").textContent = pace;
  document.body.className = state;
}

function newItem() {
  return find("#layers").appendChild(find("template").content.firstElementChild.cloneNode(true));
}

function showLayer({ digest, status, completed, total, done }, item) {
  const [name, size, bar] = item.children;
  const totalIsKnown = total !== undefined && !done;
  const { bytes = "" } = formatProgress({ completed, total: total ?? 0, totalIsKnown });
  name.textContent = digest?.replace("sha256:", "").slice(0, 12) ?? status;
  size.textContent = done ? `${bytes} ✓` : bytes;
  bar.max = total || 1;
  bar.value = completed;
}

function show(progress) {
  const { percent, bytes, speed, timeLeft } = formatProgress(progress);
  say(PHASES[progress.phase], { pace: join(speed, timeLeft) });
  find("#amount").textContent = join(percent, bytes);
  find("#whole").value = progress.fraction;
  const items = find("#layers").children;
  progress.layers.forEach((layer, index) => showLayer(layer, items[index] ?? newItem()));
}

/** What has failed. A page is not told whether a server is not there, or keeps it out. */
function describe({ code, message }) {
  const problem = message.replace(/\.?$/, "."); // browsers differ in that
  if (!host || code !== "network") return problem;
  return `${problem} Is Ollama running there, and ${location.origin} among its OLLAMA_ORIGINS?`;
}

function showEnd(error) {
  const { name, reason, retryable } = error;
  const end = ENDS[reason] ?? ENDS[name];
  if (end) return say(end);
  const advice = ADVICE[reason] ?? (retryable ? "Press Pull to try again." : "");
  say(`${describe(error)} ${advice}`.trim(), { state: "failed" });
}

/** Shows a pull until it ends: the one that runs or, if `mayStart`, a new one where there is none. */
async function watch(mayStart) {
  const controller = new AbortController();
  const name = model.value;
  const onRetry = ({ error, delayMs }) => {
    const text = `${describe(error)} Another attempt in ${Math.ceil(delayMs / 1000)} s.`;
    say(text, { state: "interrupted" });
  };
  const options = { signal: controller.signal, onRetry };
  cancel.onclick = () => host ? controller.abort() : cancelPull(RELAY, name).catch(showEnd);
  start.disabled = true;
  cancel.disabled = false;
  find("#layers").replaceChildren();
  try {
    const progress = host
      ? pull(name, { ...options, host, retries: 5 })
      : watchPull(RELAY, name, { ...options, start: mayStart });
    for await (const snapshot of progress) show(snapshot);
  } catch (error) {
    showEnd(error);
  } finally {
    start.disabled = false;
    cancel.disabled = true;
  }
}

find("form").onsubmit = (event) => {
  event.preventDefault();
  address.searchParams.set("model", model.value);
  history.replaceState(null, "", address); // so that a reload, or whoever gets the address, sees the pull
  watch(true);
};

if (address.searchParams.has("model")) {
  model.value = address.searchParams.get("model");
  if (!host) watch(false);
}
