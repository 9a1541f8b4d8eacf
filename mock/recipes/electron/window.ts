/**
 * The downloads of an Electron app, in a window: a store for React, Svelte and others, and its requests to
 * the main process.
 *
 * @module
 */

import type { PullEntryJson } from "@ollama-pull/kit";
import type { Command } from "./main.ts";

/** Follows the downloads through a port of the main process. */
export function followDownloads(port: MessagePort) {
  let downloads: readonly PullEntryJson[] = [];
  const listeners = new Set<() => void>();
  port.onmessage = ({ data }: MessageEvent<readonly PullEntryJson[]>) => {
    downloads = data;
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
