/**
 * The blobs on disk of the mock, and one download per blob, shared by all callers.
 *
 *     callers ── join ──▶ Download ── shares the bandwidth of the ──▶ Link
 *
 * Nothing here runs by itself. The {@link Link} computes what has arrived from the time that has passed,
 * when somebody asks, so that a download costs nothing in between.
 *
 * @module
 */

import type { Blob } from "../models/models.ts";

/** Times closer than this count as the same, so that rounding errors do not split a download. */
const MOMENT_MS = 1e-3;

/** A blob on disk, whole or in part, and the callers that wait for the rest of it. */
export class Download {
  /** What is downloaded. */
  readonly blob: Blob;
  readonly #link: Link;
  #callers = 0;
  #holds = 0;
  #isActive = false;
  /** The bytes on disk when the download last began, was rolled back, or stopped. */
  #keptBytes = 0;
  /** What the link had served at that time. */
  #keptAtServed = 0;

  constructor(blob: Blob, link: Link) {
    this.blob = blob;
    this.#link = link;
  }

  /** How many callers wait for it. */
  get callers(): number {
    return this.#callers;
  }

  /** Whether all of it is on disk, as of the last look. */
  get isDone(): boolean {
    return this.#keptBytes >= this.blob.size;
  }

  /** What the link will have served when the download ends. */
  get endsAtServed(): number {
    return this.#keptAtServed + this.blob.size - this.#keptBytes;
  }

  /** The bytes on disk at a time. */
  completedAt(time: number): number {
    const served = this.#link.servedAt(time);
    if (!this.#isActive) return this.#keptBytes;
    const bytes = Math.floor(this.#keptBytes + served - this.#keptAtServed);
    return Math.min(bytes, this.blob.size);
  }

  /** When it ends if nothing changes. */
  endAt(time: number): number {
    this.#link.servedAt(time);
    if (this.isDone) return time;
    return this.#isActive ? this.#link.timeOf(this.endsAtServed) : Infinity;
  }

  /** A caller begins to wait. */
  join(time: number): void {
    this.#callers++;
    this.#start(time);
  }

  /** A caller stops waiting. When the last one leaves, the download stops and its bytes are kept. */
  leave(time: number): void {
    this.#callers--;
    if (this.#callers === 0) this.#stop(time);
  }

  /** Pauses it, as when the registry sends nothing. */
  hold(time: number): void {
    this.#holds++;
    this.#stop(time);
  }

  /** Takes back one {@link hold}. */
  release(time: number): void {
    this.#holds--;
    this.#start(time);
  }

  /** Loses bytes, as when a part failed and is fetched again. */
  rollBack(bytes: number, time: number): void {
    this.#stop(time);
    this.#keptBytes = Math.max(0, this.#keptBytes - bytes);
    this.#start(time);
  }

  /** Marks it as complete. Called by the link, and where the blob is there from the start. */
  conclude(): void {
    this.#keptBytes = this.blob.size;
    this.#isActive = false;
  }

  #start(time: number): void {
    if (this.#isActive || this.isDone || this.#holds > 0 || this.#callers === 0) return;
    this.#keptAtServed = this.#link.servedAt(time);
    this.#isActive = true;
    this.#link.add(this);
  }

  #stop(time: number): void {
    this.#keptBytes = this.completedAt(time);
    if (!this.#isActive) return;
    this.#isActive = false;
    this.#link.remove(this);
  }
}

/**
 * A connection whose bandwidth its downloads share equally.
 *
 * `#served` counts the bytes that one download would have received if it had been active from the start.
 * A download remembers the count at its own start, so it need not be updated while time passes.
 */
class Link {
  readonly #bytesPerMs: number;
  readonly #active = new Set<Download>();
  #nextToEnd: Download | undefined;
  #served = 0;
  #time = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** The bytes that every download was served up to a time. Ends the downloads that are complete. */
  servedAt(time: number): number {
    while (this.#nextToEnd) {
      const next = this.#nextToEnd;
      const end = this.timeOf(next.endsAtServed);
      if (end > time + MOMENT_MS) break;
      this.#served = Math.max(this.#served, next.endsAtServed);
      this.#time = Math.max(this.#time, end);
      next.conclude();
      this.remove(next);
    }
    if (time > this.#time) {
      if (this.#nextToEnd) this.#served += (time - this.#time) * this.#share;
      this.#time = time;
    }
    return this.#served;
  }

  /** When every download will have been served this many bytes, if nothing changes. */
  timeOf(served: number): number {
    return this.#time + Math.max(0, served - this.#served) / this.#share;
  }

  add(download: Download): void {
    this.#active.add(download);
    if (!(this.#nextToEnd && this.#nextToEnd.endsAtServed <= download.endsAtServed)) {
      this.#nextToEnd = download;
    }
  }

  remove(download: Download): void {
    this.#active.delete(download);
    if (download === this.#nextToEnd) this.#findNextToEnd();
  }

  #findNextToEnd(): void {
    this.#nextToEnd = undefined;
    for (const download of this.#active) {
      if (!(this.#nextToEnd && this.#nextToEnd.endsAtServed <= download.endsAtServed)) {
        this.#nextToEnd = download;
      }
    }
  }

  get #share(): number {
    return this.#bytesPerMs / Math.max(1, this.#active.size);
  }
}

/** The blobs on disk, whole or in part. */
export class BlobStore {
  readonly #downloads = new Map<string, Download>();
  readonly #link: Link;

  constructor(bytesPerSecond: number) {
    this.#link = new Link(bytesPerSecond);
  }

  /** The one download of a blob. */
  download(blob: Blob): Download {
    let download = this.#downloads.get(blob.digest);
    if (!download) {
      download = new Download(blob, this.#link);
      this.#downloads.set(blob.digest, download);
    }
    return download;
  }

  /** Puts all of a blob on disk. */
  fill(blob: Blob): void {
    this.download(blob).conclude();
  }

  /** Forgets a blob, unless a caller waits for it. */
  remove(digest: string): void {
    if (!this.#downloads.get(digest)?.callers) this.#downloads.delete(digest);
  }

  /** How many callers wait for any blob. */
  get callers(): number {
    let callers = 0;
    for (const download of this.#downloads.values()) callers += download.callers;
    return callers;
  }
}
