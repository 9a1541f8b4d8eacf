/**
 * What the server does for one caller of a pull, as the objects that it reports on the way.
 *
 * @module
 */

import type { ClockTask } from "./clock.ts";
import { AGGREGATE_DIGEST, type Dialect } from "./dialects.ts";
import type { BlobStore, Download } from "./downloads.ts";
import { type Blob, blobsOf, type Model } from "./models.ts";

/** An object of the stream, before it is written. Fields that are `undefined` are left out. */
export interface StatusObject {
  status?: string | undefined;
  digest?: string | undefined;
  total?: number | undefined;
  completed?: number | undefined;
  error?: string | undefined;
  [field: string]: unknown;
}

/** What a pull is doing when it reports. */
export type JobPhase =
  | "manifest"
  | "downloading"
  | "verifying"
  | "writing"
  | "removing"
  | "success";

/** Something that a pull reports. */
export interface JobEvent {
  readonly phase: JobPhase;
  readonly object: StatusObject;
}

/** A pull that fails; the message is the real server's. */
export class PullFailure extends Error {
  /** Always `"PullFailure"`. */
  override readonly name = "PullFailure";
}

/** What a pull works with. */
export interface JobOptions {
  /** The model, or `undefined` if the library has none of that name. */
  readonly model: Model | undefined;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  readonly tickMs: number;
  readonly now: () => number;
  readonly task: ClockTask;
  readonly signal: AbortSignal;
  /** Records that the model is there, and returns how many blobs that leaves unused. */
  readonly install: (model: Model) => number;
}

/** A pull, for one caller. Ending the iteration early, or the signal, leaves its downloads. */
export class PullJob {
  readonly #options: JobOptions;
  readonly blobs: readonly Blob[];

  constructor(options: JobOptions) {
    this.#options = options;
    const blobs = options.model ? blobsOf(options.model) : [];
    this.blobs = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  }

  /** The bytes on disk of a blob of the model. */
  completedOf(blob: Blob): number {
    return this.#download(blob).completedAt(this.#options.now());
  }

  /** The size in bytes of all blobs of the model. */
  get total(): number {
    return sum(this.blobs, ({ size }) => size);
  }

  /** The bytes on disk of all blobs of the model. */
  get completed(): number {
    return sum(this.blobs, (blob) => this.completedOf(blob));
  }

  /** Loses bytes of a blob that is being downloaded. */
  rollBack(blob: Blob | undefined, bytes: number): void {
    const blobs = blob ? [blob] : this.blobs;
    const active = blobs.map((each) => this.#download(each)).find(({ callers }) => callers > 0);
    active?.rollBack(bytes, this.#options.now());
  }

  /** Drops a blob, as the server does when it fails its checksum. */
  drop(blob: Blob): void {
    this.#options.store.remove(blob.digest);
  }

  /**
   * Runs the pull.
   *
   * @throws {PullFailure} If there is no such model.
   */
  async *run(): AsyncGenerator<JobEvent, void, void> {
    const { dialect, model, install } = this.#options;
    yield { phase: "manifest", object: { status: "pulling manifest" } };
    if (!model) throw new PullFailure("pull model manifest: file does not exist");
    yield* this.#downloadAll();
    if (dialect.verifies) {
      yield { phase: "verifying", object: { status: "verifying sha256 digest" } };
    }
    yield { phase: "writing", object: { status: "writing manifest" } };
    const unused = install(model);
    if (dialect.removing && (unused > 0 || dialect.alwaysRemoves)) {
      yield { phase: "removing", object: { status: dialect.removing } };
    }
    yield { phase: "success", object: { status: "success" } };
  }

  async *#downloadAll(): AsyncGenerator<JobEvent, void, void> {
    if (this.#options.dialect.layers !== "sequential") {
      return yield* this.#downloadTogether(this.blobs);
    }
    for (const blob of this.blobs) yield* this.#downloadTogether([blob]);
  }

  /** Downloads blobs at the same time, and reports on each of them at every tick. */
  async *#downloadTogether(blobs: readonly Blob[]): AsyncGenerator<JobEvent, void, void> {
    const { dialect, tickMs, now, task, signal } = this.#options;
    const all = blobs.map((blob) => this.#download(blob));
    const downloads = all.filter((download) => download.completedAt(now()) < download.blob.size);
    const cached = all.filter((download) => !downloads.includes(download));

    for (const download of downloads) download.join(now());
    try {
      // What is there already is reported once, and together with the rest where all are one.
      if (dialect.layers !== "aggregate") yield* this.#report(cached);
      if (dialect.announces) yield* this.#report(downloads);
      let open = downloads;
      let tick = now() + tickMs;
      while ((open = open.filter(({ isDone }) => !isDone)).length > 0) {
        const end = Math.max(...open.map((download) => download.endAt(now())));
        await task.sleep(Math.min(tick, end) - now(), signal);
        for (const download of open) download.completedAt(now());
        if (now() < tick) continue;
        yield* this.#report(
          dialect.layers === "aggregate" ? all : open.filter(({ isDone }) => !isDone),
        );
        // A ticker drops the ticks that a slow reader has missed.
        tick += tickMs * Math.max(1, Math.floor((now() - tick) / tickMs) + 1);
      }
      if (dialect.layers === "aggregate") yield* this.#report(all);
      else if (dialect.concludes) yield* this.#report(downloads);
    } finally {
      for (const download of downloads) download.leave(now());
    }
  }

  /** Reports how far downloads have come: one object each, or one for all. */
  *#report(downloads: readonly Download[]): Generator<JobEvent, void, void> {
    const { dialect, now } = this.#options;
    const time = now();
    if (dialect.layers === "aggregate") {
      const total = sum(downloads, ({ blob }) => blob.size);
      const completed = sum(downloads, (download) => download.completedAt(time));
      yield this.#downloading(AGGREGATE_DIGEST, total, completed);
      return;
    }
    for (const download of downloads) {
      const { digest, size } = download.blob;
      yield this.#downloading(digest, size, download.completedAt(now()));
    }
  }

  #downloading(digest: string, total: number, completed: number): JobEvent {
    const status = this.#options.dialect.downloading(digest);
    // The real server leaves out what is 0.
    const object = {
      status,
      digest,
      total: total || undefined,
      completed: completed || undefined,
    };
    return { phase: "downloading", object };
  }

  #download(blob: Blob): Download {
    return this.#options.store.download(blob);
  }
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
