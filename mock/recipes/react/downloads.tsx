/**
 * A pool of downloads in a page: three at a time, each model once, through the app's own endpoint,
 * which requires a token.
 *
 * @module
 */

import { formatProgress, pull, type PullEntry, PullManager } from "@ollama-pull/kit";
import { type ReactNode, useSyncExternalStore } from "react";

const manager = new PullManager({
  host: `${location.origin}/backend`,
  path: "/models/download",
  maxConcurrent: 3,
  pull, // called when it is its turn, so that an invalid name fails like any other download
});

function start(model: string): void {
  manager.start(model, { headers: { Authorization: `Bearer ${localStorage.getItem("token")}` } });
}

function messageOf({ state, progress, error }: PullEntry): string {
  if (state === "waiting") return "Waiting for its turn";
  if (state === "succeeded") return "Ready to use";
  if (state === "cancelled") return "Cancelled. What has arrived is kept.";
  if (state === "failed") return error.message;
  return (progress && formatProgress(progress).line) || "Asking the server";
}

function Download({ entry }: { entry: PullEntry }): ReactNode {
  const { model, state, progress: { fraction } = { fraction: 0 } } = entry;
  const action = state === "waiting" || state === "running" ? "cancel" : "dismiss";
  return (
    <li className={state}>
      <strong>{model}</strong> <span>{Math.floor(fraction * 100)}%</span>
      <button type="button" onClick={() => manager[action](model)}>{action}</button>
      <progress value={fraction} aria-label={model} />
      <p role="status">{messageOf(entry)}</p>
    </li>
  );
}

/** The downloads, and controls that start more: a name field, and a button that updates models. */
export function Downloads({ models }: { models: readonly string[] }): ReactNode {
  const { entries } = useSyncExternalStore(manager.subscribe, manager.getSnapshot);
  return (
    <form action={(form) => start(String(form.get("model")))}>
      <input name="model" placeholder="llama3.2" aria-label="Model" required />
      <button type="submit">Download</button>
      <button type="button" onClick={() => models.forEach(start)}>Update all</button>
      <ul>{entries.map((entry) => <Download key={entry.model} entry={entry} />)}</ul>
    </form>
  );
}
