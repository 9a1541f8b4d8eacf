/**
 * One pull, encoded once for all who watch it.
 *
 *     PullHub ── each snapshot ──▶ at most one record every so often ──▶ bytes ──▶ viewers
 *
 * A record says what has changed since the one before. A viewer that keeps up gets it. One that has fallen
 * behind, or has just come, gets the whole snapshot instead, and goes on from there. Both are encoded once
 * for each update and format, and only if a viewer needs them.
 *
 * @module
 */

import type { PullHub } from "../manager/hub.ts";
import type { PullProgress } from "../snapshot.ts";
import type { Failure } from "../streams/producer.ts";
import type { Audience } from "./audience.ts";
import { EncodedRecord } from "./encoded_record.ts";
import { RecordEncoder } from "./record_encoder.ts";
import type { Viewer, ViewerFeed } from "./viewer.ts";

/** What applies to all feeds. */
export interface FeedOptions {
  /** All viewers of the relay. */
  readonly audience: Audience;
  /** The least time between two updates, in milliseconds. */
  readonly updateEveryMs: number;
  /** What viewers are told of a failure. */
  readonly redact: (error: unknown) => Error;
  /** Is called when the pull has ended, and that was told. */
  readonly onEnd: (feed: Feed) => void;
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Waits for a number of milliseconds, or rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A pull that is watched through the relay. Nothing is encoded while nobody watches. */
export class Feed implements ViewerFeed {
  /** The pull. */
  readonly hub: PullHub;
  /** The model's name, as it was asked for. */
  readonly name: string;
  readonly #options: FeedOptions;
  readonly #viewers = new Set<Viewer>();
  readonly #encoder = new RecordEncoder();
  /** The newest snapshot that was made a record, the number of that, and when that was. */
  #published: PullProgress | undefined;
  #sequence = 0;
  #publishedAt = -Infinity;
  /** What has changed with it, and all of it, once somebody wanted that. */
  #change: EncodedRecord | undefined;
  #whole: EncodedRecord | undefined;
  #ending: EncodedRecord | undefined;
  #endedAt: number | undefined;
  /** Aborts when the last viewer leaves. */
  #watching: AbortController | undefined;
  #stopWatching = () => {};
  /** That of the viewers for whom an update waits until it is due. */
  #waiting: AbortController | undefined;

  constructor(hub: PullHub, name: string, options: FeedOptions) {
    this.hub = hub;
    this.name = name;
    this.#options = options;
    hub.done.then(() => this.#end(), (error) => this.#end({ error }));
  }

  get sequence(): number {
    return this.#sequence;
  }

  get ending(): EncodedRecord | undefined {
    return this.#ending;
  }

  /** When the pull has ended, if it has. */
  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  now(): number {
    return this.#options.now();
  }

  recordAfter(sequence: number): EncodedRecord {
    if (sequence === this.#sequence - 1) return this.#change!;
    return this.#whole ??= new EncodedRecord(this.#encoder.latest()!);
  }

  /** Takes a viewer in. */
  join(viewer: Viewer): void {
    this.#viewers.add(viewer);
    this.#options.audience.add(viewer);
    if (this.#viewers.size > 1 || this.#ending) return;
    this.#watching = new AbortController();
    this.#publishedAt = -Infinity; // what was told before was told to others
    this.#stopWatching = this.hub.subscribe(this.#onProgress);
  }

  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#options.audience.delete(viewer);
    if (this.#viewers.size === 0) this.#stop();
  }

  readonly #onProgress = (progress: PullProgress): void => {
    if (progress === this.#published || this.#waiting === this.#watching) return;
    const delayMs = this.#delayMs();
    if (delayMs > 0) void this.#publishLater(delayMs);
    else this.#publish(progress);
  };

  /** How long it takes until there may be another update. */
  #delayMs(): number {
    const time = this.now();
    // A clock that was set back must not make the wait any longer.
    this.#publishedAt = Math.min(this.#publishedAt, time);
    return this.#publishedAt + this.#options.updateEveryMs - time;
  }

  async #publishLater(delayMs: number): Promise<void> {
    const watching = this.#waiting = this.#watching!;
    try {
      await this.#options.sleep(delayMs, watching.signal);
    } catch {
      // The pull has ended, or nobody watches any more.
    }
    if (this.#waiting === watching) this.#waiting = undefined;
    if (!watching.signal.aborted) this.#publish(this.hub.latest!);
  }

  #publish(progress: PullProgress): void {
    this.#published = progress;
    this.#publishedAt = this.now();
    this.#change = new EncodedRecord(this.#encoder.next(progress));
    this.#whole = undefined;
    this.#sequence++;
    this.#serveAll();
  }

  /** Tells the newest snapshot, if that was not told yet, and the end. */
  #end(failure?: Failure): void {
    this.#stop();
    const { latest } = this.hub;
    if (latest && latest !== this.#published) this.#publish(latest);
    const told = failure && { error: this.#options.redact(failure.error) };
    this.#ending = new EncodedRecord(this.#encoder.end(told));
    this.#endedAt = this.now();
    this.#serveAll();
    this.#options.onEnd(this);
  }

  #serveAll(): void {
    for (const viewer of this.#viewers) viewer.serve();
  }

  #stop(): void {
    this.#stopWatching();
    this.#stopWatching = () => {};
    this.#watching?.abort();
    this.#watching = undefined;
  }
}
