/**
 * What a server has of each layer, and the downloads that are shared by all who wait for a layer.
 *
 * @module
 */

import type { Clock } from "../../../../mock/mod.ts";
import type { Caller } from "./caller.ts";
import type { Layer, Registry } from "./registry.ts";

/** A download that goes on as long as somebody waits for it. */
export interface Download {
  readonly layer: Layer;
  /** The bytes that were there when it began. */
  from: number;
  /** When it had `from` bytes, by the server's clock. */
  startedAt: number;
  bytesPerMs: number;
  /** In the order in which they joined. */
  readonly callers: Set<Caller>;
  /** Whether the registry sends wrong bytes. */
  readonly isCorrupt: boolean;
}

/** The layers on the disk of a server, whole or in part. */
export class Disk {
  protected readonly clock: Clock;
  /** The bytes of each layer that is not being downloaded, by digest. */
  protected readonly kept = new Map<string, number>();
  protected readonly downloads = new Map<string, Download>();
  readonly #registry: Registry;
  readonly #bytesPerMs: number;
  readonly #corrupt = new Set<string>();

  constructor(clock: Clock, registry: Registry, bytesPerMs: number) {
    this.clock = clock;
    this.#registry = registry;
    this.#bytesPerMs = bytesPerMs;
  }

  /** What downloads are shared by: those with the same key are one. */
  protected keyOf({ digest }: Layer, _caller: Caller): string {
    return digest;
  }

  /** The download of a layer that a caller shares or would share. */
  downloadOf(layer: Layer, caller: Caller): Download | undefined {
    return this.downloads.get(this.keyOf(layer, caller));
  }

  /** How many bytes of a layer are there now. */
  bytesOf(layer: Layer, caller: Caller): number {
    const download = this.downloadOf(layer, caller);
    return download ? this.bytesDownloaded(download) : this.kept.get(layer.digest) ?? 0;
  }

  /** How many bytes of its layer a download has now. */
  protected bytesDownloaded({ layer, from, startedAt, bytesPerMs }: Download): number {
    const downloaded = Math.floor((this.clock.now() - startedAt) * bytesPerMs);
    return Math.min(this.#registry.bytesSent(layer), from + downloaded);
  }

  /** How many bytes of a layer are reported to a caller. */
  bytesReported(layer: Layer, caller: Caller): number {
    return this.bytesOf(layer, caller);
  }

  /** How long what the registry sends of a layer still takes, in milliseconds. */
  msLeft(layer: Layer, caller: Caller): number {
    const bytes = this.#registry.bytesSent(layer) - this.bytesOf(layer, caller);
    if (bytes <= 0) return 0;
    return bytes / (this.downloadOf(layer, caller)?.bytesPerMs ?? this.#bytesPerMs);
  }

  /** Begins to wait for a layer, whose download goes on or begins. */
  join(layer: Layer, caller: Caller): Download {
    const download = this.downloadOf(layer, caller) ?? {
      layer,
      from: this.bytesOf(layer, caller),
      startedAt: this.clock.now(),
      bytesPerMs: this.#bytesPerMs,
      callers: new Set(),
      isCorrupt: this.#registry.faults.get(layer.digest) === "corrupt",
    };
    this.downloads.set(this.keyOf(layer, caller), download);
    download.callers.add(caller);
    return download;
  }

  /** Waits for a layer no longer. The last one to leave ends the download. */
  leave(download: Download, caller: Caller): void {
    download.callers.delete(caller);
    if (download.callers.size === 0) this.end(download, caller);
  }

  /** Ends a download, and keeps what it has. */
  protected end(download: Download, caller: Caller): void {
    const { layer, isCorrupt } = download;
    this.kept.set(layer.digest, this.bytesDownloaded(download));
    if (isCorrupt) this.#corrupt.add(layer.digest);
    this.downloads.delete(this.keyOf(layer, caller));
  }

  /** Whether the bytes of a layer are all there, and are those of its digest. */
  isSound(layer: Layer, caller: Caller): boolean {
    const download = this.downloadOf(layer, caller);
    const isCorrupt = download?.isCorrupt || this.#corrupt.has(layer.digest);
    return !isCorrupt && this.bytesOf(layer, caller) >= layer.size;
  }

  /** Removes what is kept of a layer. */
  remove({ digest }: Layer): void {
    this.kept.delete(digest);
    this.#corrupt.delete(digest);
  }
}
