/**
 * The downloads of an Electron app, in a window: a store for React, Svelte and others, and what it asks of
 * the main process.
 *
 * @module
 */

import { PullError } from "@ollama-pull/kit";
import type { Command, SentEntry } from "./main.ts";

/** A download as a window shows it. */
export interface Download extends Omit<SentEntry, "error"> {
  readonly error?: PullError | undefined;
}

/** Follows the downloads through a port of the main process. */
export function followDownloads(port: MessagePort) {
  let downloads: readonly Download[] = [];
  const listeners = new Set<() => void>();
  port.onmessage = ({ data }: MessageEvent<readonly SentEntry[]>) => {
    downloads = data.map((entry) => ({ ...entry, error: PullError.from(entry.error) }));
    for (const listener of listeners) listener();
  };
  return {
    getSnapshot: () => downloads,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send: (...command: Command) => port.postMessage(command),
  };
}
