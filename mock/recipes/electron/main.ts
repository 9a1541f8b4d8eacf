/**
 * The downloads of an Electron app: they run in the main process, and each window has one end of a channel.
 *
 *     const { port1, port2 } = new MessageChannelMain();
 *     window.webContents.postMessage("downloads", null, [port2]); // the preload script hands it to the page
 *     serveDownloads(port1, manager);
 *
 * @module
 */

import { type PullEntry, PullError, type PullErrorJson, type PullManager } from "@ollama-pull/kit";

/** A download as it crosses to a window: the clone of an error would have lost its code and reason. */
export interface SentEntry extends Pick<PullEntry, "model" | "state" | "progress"> {
  readonly error?: PullErrorJson | undefined;
}

/** What a window asks for. */
export type Command = readonly ["start" | "cancel" | "dismiss", model: string];

/** As much of Electron's `MessagePortMain` as is needed. */
export interface MainPort {
  postMessage(entries: readonly SentEntry[]): void;
  on(event: "message", listener: (event: { data: Command }) => void): void;
  on(event: "close", listener: () => void): void;
  start(): void;
}

/** Tells a window of the downloads, and does what it asks for. */
export function serveDownloads(port: MainPort, manager: PullManager): void {
  const leave = manager.subscribe(({ entries }) => {
    port.postMessage(
      entries.map((entry) => ({ ...entry, error: PullError.from(entry.error)?.toJSON() })),
    );
  });
  port.on("message", ({ data: [action, model] }) => manager[action](model));
  port.on("close", leave);
  port.start();
}
