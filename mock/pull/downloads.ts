/**
 * The blobs on the mock's disk. Each blob has one download, shared by all callers.
 *
 *     callers ── join ──▶ Download ── shares the bandwidth of the ──▶ Link
 *
 * Nothing here runs by itself. When somebody asks, the {@link Link} computes how many bytes have arrived from
 * the time that has passed, so a download costs nothing in between.
 *
 * @module
 */

import type { Blob } from "../models/models.ts";

/**
 * Times closer than this (in milliseconds) count as equal, so that rounding errors do not split a download.
 */
const MOMENT_MS = 1e-3;

/** Something that happens once a link has served a certain number of bytes. */
interface LinkEvent {
  /** The number of bytes served at which it is due. `served` is the number now. */
  dueAtServed(served: number): number;
  /** Performs it. `served` is the number of bytes served by then. */
  happen(served: number): void;
}

/** A blob on disk, complete or partial, and the callers that wait for the rest of it. */
export class Download implements LinkEvent {
  /** The blob. */
  readonly blob: Blob;
  readonly #link: Link;
  #callers = 0;
  #holds = 0;
  #isActive = false;
  /** The bytes on disk when the download last began, was rolled back, or stopped. */
  #keptBytes = 0;
  /** What the link had served by then. */
  #keptAtServed = 0;

  constructor(blob: Blob, link: Link) {
    this.blob = blob;
    this.#link = link;
  }

  /** How many callers wait for it. */
  get callers(): number {
    return this.#callers;
  }

  /** Whether all of it is on disk, as of the last time that was asked about. */
  get isDone(): boolean {
    return this.#keptBytes >= this.blob.size;
  }

  /** The bytes on disk at a time. */
  completedAt(time: number): number {
    const served = this.#link.servedAt(time);
    if (!this.#isActive) return this.#keptBytes;
    // Subtract first: if the difference is 0, rounding cannot lose a byte of what was kept.
    const bytes = Math.floor(this.#keptBytes + (served - this.#keptAtServed));
    return Math.min(bytes, this.blob.size);
  }

  /** When it ends if nothing changes. */
  endAt(time: number): number {
    this.#link.servedAt(time);
    if (this.isDone) return time;
    return this.#isActive ? this.#link.timeOf(this.dueAtServed()) : Infinity;
  }

  /** Adds a caller that waits for it. */
  join(time: number): void {
    this.#callers++;
    this.#start(time);
  }

  /** Removes a caller. When the last one leaves, the download stops, and its bytes are kept. */
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

  /** Loses bytes, as when a part fails and is fetched again. */
  rollBack(bytes: number, time: number): void {
    this.#stop(time);
    this.#keptBytes = Math.max(0, this.#keptBytes - bytes);
    this.#start(time);
  }

  /** Whether the link serves it. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** The bytes on disk, including fractions, when the link has served a number of bytes. */
  bytesAtServed(served: number): number {
    return this.#keptBytes + (this.#isActive ? served - this.#keptAtServed : 0);
  }

  /** Holds it with a number of bytes on disk. Called by the link. */
  holdAt(bytes: number): void {
    this.#holds++;
    this.#keptBytes = bytes;
    if (!this.#isActive) return;
    this.#isActive = false;
    this.#link.remove(this);
  }

  /** What the link will have served when the download is complete. */
  dueAtServed(): number {
    return this.#keptAtServed + this.blob.size - this.#keptBytes;
  }

  /** Completes it. Called by the link. */
  happen(): void {
    this.#keptBytes = this.blob.size;
    this.#isActive = false;
    this.#link.remove(this);
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
 * A number of bytes of some downloads together. When exactly that many are on disk, the downloads pause until
 * `pass` is called.
 */
export class Milestone implements LinkEvent {
  readonly #downloads: readonly Download[];
  readonly #bytes: number;
  readonly #link: Link;
  #state: "ahead" | "reached" | "passed" = "ahead";

  constructor(downloads: readonly Download[], bytes: number, link: Link) {
    this.#downloads = downloads;
    this.#bytes = bytes;
    this.#link = link;
  }

  /** When it is reached if nothing changes. */
  reachedAt(time: number): number {
    const served = this.#link.servedAt(time);
    if (this.#state === "reached") return time;
    if (this.#state === "passed") return Infinity;
    const due = this.dueAtServed(served);
    return due === Infinity ? Infinity : this.#link.timeOf(due);
  }

  /** What the link will have served when it is reached: `Infinity` while none of its downloads is active. */
  dueAtServed(served: number): number {
    const missing = this.#bytes -
      this.#downloads.reduce((sum, download) => sum + download.bytesAtServed(served), 0);
    const active = this.#downloads.filter(({ isActive }) => isActive).length;
    return active === 0 ? Infinity : served + Math.max(0, missing) / active;
  }

  /** Pauses the downloads, and rounds them to whole bytes that add up. Called by the link. */
  happen(served: number): void {
    this.#link.unwatch(this);
    this.#state = "reached";
    let missing = this.#bytes;
    const held = this.#downloads.map((download) => {
      const bytes = Math.min(missing, Math.round(download.bytesAtServed(served)));
      missing -= bytes;
      return { download, bytes };
    });
    const last = held.findLast(({ download }) => download.isActive);
    for (const each of held) each.download.holdAt(each.bytes + (each === last ? missing : 0));
  }

  /** Lets the downloads go on. If called before it is reached, they will not pause. */
  pass(time: number): void {
    const isReached = this.#state === "reached";
    this.#state = "passed";
    this.#link.unwatch(this);
    for (const download of isReached ? this.#downloads : []) download.release(time);
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
  readonly #milestones = new Set<Milestone>();
  #nextToEnd: Download | undefined;
  #served = 0;
  #time = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** The bytes served to each download up to a time. Events due by then are performed first. */
  servedAt(time: number): number {
    for (let next = this.#nextEvent(); next; next = this.#nextEvent()) {
      const due = next.dueAtServed(this.#served);
      const dueAt = this.timeOf(due);
      if (dueAt > time + MOMENT_MS) break;
      this.#served = Math.max(this.#served, due);
      this.#time = Math.max(this.#time, dueAt);
      next.happen(this.#served);
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
    if (!(this.#nextToEnd && this.#nextToEnd.dueAtServed() <= download.dueAtServed())) {
      this.#nextToEnd = download;
    }
  }

  remove(download: Download): void {
    this.#active.delete(download);
    if (download === this.#nextToEnd) this.#findNextToEnd();
  }

  watch(milestone: Milestone): void {
    this.#milestones.add(milestone);
  }

  unwatch(milestone: Milestone): void {
    this.#milestones.delete(milestone);
  }

  /** The next end of a download or milestone. If both are due at once, the milestone comes first. */
  #nextEvent(): LinkEvent | undefined {
    let next: LinkEvent | undefined = this.#nextToEnd;
    if (!next) return undefined; // without an active download, no milestone is reached
    for (const milestone of this.#milestones) {
      const isFirst = milestone.dueAtServed(this.#served) <= next.dueAtServed(this.#served);
      if (isFirst) next = milestone;
    }
    return next;
  }

  #findNextToEnd(): void {
    this.#nextToEnd = undefined;
    for (const download of this.#active) {
      if (!(this.#nextToEnd && this.#nextToEnd.dueAtServed() <= download.dueAtServed())) {
        this.#nextToEnd = download;
      }
    }
  }

  get #share(): number {
    return this.#bytesPerMs / Math.max(1, this.#active.size);
  }
}

/** The blobs on disk, complete or partial. */
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

  /**
   * Sets a milestone in the bytes of some blobs, if they do not have that many yet. The caller must `pass` it
   * once it is reached or no longer needed.
   */
  milestone(blobs: readonly Blob[], bytes: number, time: number): Milestone | undefined {
    const downloads = blobs.map((blob) => this.download(blob));
    const there = downloads.reduce((sum, download) => sum + download.completedAt(time), 0);
    if (there >= bytes) return undefined;
    const milestone = new Milestone(downloads, bytes, this.#link);
    this.#link.watch(milestone);
    return milestone;
  }

  /** Puts a complete blob on disk. */
  fill(blob: Blob): void {
    this.download(blob).happen();
  }

  /** Whether a blob is complete at a time. */
  has(digest: string, time: number): boolean {
    const download = this.#downloads.get(digest);
    return download !== undefined && download.completedAt(time) >= download.blob.size;
  }

  /** Forgets a blob, unless a caller waits for it. */
  remove(digest: string): void {
    if (!this.#downloads.get(digest)?.callers) this.#downloads.delete(digest);
  }

  /** How many callers are waiting for any blob. */
  get callers(): number {
    let callers = 0;
    for (const download of this.#downloads.values()) callers += download.callers;
    return callers;
  }
}
