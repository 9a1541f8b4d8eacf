/**
 * The downloads of an Electron app: they run in the main process, and each window has one end of a channel.
 *
 *     const serve = createDownloads();
 *     const { port1, port2 } = new MessageChannelMain();
 *     window.webContents.postMessage("downloads", null, [port2]); // the preload script passes it to the page
 *     serve(port1);
 *
 * @module
 */

import { pull, type PullEntryJson, PullManager, type PullManagerOptions } from "@ollama-pull/kit";

/** A request of a window. */
export type Command = readonly ["start" | "cancel" | "dismiss", model: string];

/** The part of Electron's `MessagePortMain` that is needed. */
export interface MainPort {
  postMessage(entries: readonly PullEntryJson[]): void;
  on(event: "message", listener: (event: { data: Command }) => void): void;
  on(event: "close", listener: () => void): void;
  start(): void;
}

/** Makes a function that reports the downloads to a window, and handles its requests. */
export function createDownloads(options: PullManagerOptions = {}): (port: MainPort) => void {
  // With `pull` as an option, an invalid name fails like any other download instead of throwing here.
  const manager = new PullManager({ pull, ...options });
  return (port) => {
    const leave = manager.subscribe(({ entries }) => {
      port.postMessage(entries.map((entry) => entry.toJSON()));
    });
    port.on("message", ({ data: [action, model] }) => manager[action](model));
    port.on("close", leave);
    port.start();
  };
}
