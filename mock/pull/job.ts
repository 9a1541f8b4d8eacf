/**
 * One pull for one caller, as the objects that the server reports.
 *
 * A job is a generator that never waits itself: it yields how long to wait before it goes on. So it can
 * be ended at any moment, and then leaves its downloads at once.
 *
 * @module
 */

import { type Dialect, UNKNOWN_MODEL } from "../../src/dialects.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../src/status.ts";
import { type Blob, blobsOf, type Model } from "../models/models.ts";
import type { BlobStore, Download } from "./downloads.ts";

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

/** A pull has nothing to do for a time. */
export interface JobWait {
  readonly phase: "waiting";
  readonly ms: number;
}

/** What a job does: reports something, or waits. */
export type JobSteps = Generator<JobEvent | JobWait, void, void>;

type Events = Generator<JobEvent, void, void>;

/** A pull that fails; the message is the real server's. */
export class PullFailure extends Error {
  /** Always `"PullFailure"`. */
  override readonly name = "PullFailure";
}

/** Why a model cannot be pulled. */
export interface Obstacle {
  /** The server's words. */
  readonly message: string;
  /** Whether the server sees it before it asks the registry. */
  readonly isSeenBefore: boolean;
}

/** Options of {@link PullJob}. */
export interface JobOptions {
  /** The model, or `undefined` if it cannot be pulled. */
  readonly model: Model | undefined;
  /** Why it cannot be pulled. @default the registry has no model of that name */
  readonly obstacle?: Obstacle | undefined;
  readonly store: BlobStore;
  readonly dialect: Dialect;
  readonly tickMs: number;
  readonly now: () => number;
  /** Records the pulled model. Returns whether the previous version had layers that this one lacks. */
  readonly install: (model: Model) => boolean;
}

/** A download that is paused until a time. */
interface Freeze {
  readonly download: Download;
  readonly until: number;
}

/** A pull, for one caller. Ending the iteration leaves its downloads. */
export class PullJob {
  readonly #options: JobOptions;
  /** All blobs of the model, in order, with duplicates. */
  readonly #blobs: readonly Blob[];
  /** The same without duplicates. */
  readonly #distinct: readonly Blob[];
  #freezes: Freeze[] = [];

  constructor(options: JobOptions) {
    this.#options = options;
    this.#blobs = options.model ? blobsOf(options.model) : [];
    this.#distinct = [...new Map(this.#blobs.map((blob) => [blob.digest, blob])).values()];
  }

  /** The size in bytes of all blobs of the model. */
  get total(): number {
    return sum(this.#distinct, ({ size }) => size);
  }

  /** The bytes on disk of all blobs of the model. */
  get completed(): number {
    return sum(this.#distinct, (blob) => this.completedOf(blob));
  }

  /** The bytes on disk of a blob of the model. */
  completedOf(blob: Blob): number {
    return this.#download(blob).completedAt(this.#options.now());
  }

  /** Whether a blob, or any if none is given, is being downloaded. */
  isDownloading(blob?: Blob): boolean {
    return this.#activeDownload(blob) !== undefined;
  }

  /** Loses bytes of a blob that is being downloaded. */
  rollBack(blob: Blob | undefined, bytes: number): void {
    this.#activeDownload(blob)?.rollBack(bytes, this.#options.now());
  }

  /** Pauses the download of a blob for a time. */
  freeze(blob: Blob | undefined, milliseconds: number): void {
    const now = this.#options.now();
    const download = this.#activeDownload(blob);
    if (!download) return;
    download.hold(now);
    this.#freezes.push({ download, until: now + milliseconds });
  }

  /** Drops a blob, as the server does when it fails its checksum. */
  drop(blob: Blob): void {
    this.#options.store.remove(blob.digest);
  }

  /**
   * Runs the pull.
   *
   * @throws {PullFailure} If the model cannot be pulled.
   */
  *run(): JobSteps {
    const { dialect, model, obstacle, install } = this.#options;
    if (obstacle?.isSeenBefore) throw new PullFailure(obstacle.message);
    yield { phase: "manifest", object: { status: "pulling manifest" } };
    if (!model) throw new PullFailure(obstacle?.message ?? UNKNOWN_MODEL);
    yield* this.#downloadAll();
    if (dialect.verifies) {
      yield { phase: "verifying", object: { status: "verifying sha256 digest" } };
    }
    yield { phase: "writing", object: { status: "writing manifest" } };
    const leavesUnused = install(model);
    if (dialect.removing && (leavesUnused || dialect.alwaysRemoves)) {
      yield { phase: "removing", object: { status: dialect.removing } };
    }
    yield { phase: "success", object: { status: "success" } };
  }

  *#downloadAll(): JobSteps {
    if (this.#options.dialect.layers !== "sequential") {
      return yield* this.#downloadTogether(this.#distinct);
    }
    for (const blob of this.#blobs) yield* this.#downloadTogether([blob]);
  }

  /** Downloads blobs at the same time, and reports on them at every tick. */
  *#downloadTogether(blobs: readonly Blob[]): JobSteps {
    const { dialect, tickMs, now } = this.#options;
    const startedAt = now();
    const all = blobs.map((blob) => this.#download(blob));
    const downloads = all.filter((each) => each.completedAt(startedAt) < each.blob.size);

    for (const download of downloads) download.join(startedAt);
    try {
      yield* this.#reportStart(all, downloads);
      let tick = startedAt + tickMs;
      // Real time goes on even while a download takes none, which must not cost a step of the grid.
      const tookNoTime = this.#endOf(downloads, startedAt) === undefined;
      let countsAt = tookNoTime ? startedAt : undefined;
      for (;;) {
        const thawsAt = this.#thaw();
        const endsAt = this.#endOf(downloads, now()) ??
          (countsAt ??= this.#countedTime(downloads, startedAt));
        if (endsAt <= now()) break;
        if (now() < tick) {
          yield { phase: "waiting", ms: Math.min(tick, endsAt, thawsAt) - now() };
          continue;
        }
        // A ticker keeps one of the ticks that a slow reader misses, and drops the others.
        tick += tickMs * (Math.floor((now() - tick) / tickMs) + 1);
        yield* this.#reportTick(all, downloads);
      }
      if (dialect.concludes) yield* this.#reportTick(all, downloads);
    } finally {
      this.#thawAll();
      for (const download of downloads) download.leave(now());
    }
  }

  /** Reports each cached layer once, and announces each download. */
  *#reportStart(all: readonly Download[], downloads: readonly Download[]): Events {
    const { layers, announces, cached, downloading } = this.#options.dialect;
    if (layers === "parallel") return yield* this.#announceFirst(all);
    if (layers === "aggregate") return yield* this.#reportTick(all, downloads);
    for (const download of all) {
      if (download.isDone) yield this.#report(download, cached);
      else if (announces) yield this.#report(download, downloading);
    }
  }

  *#announceFirst([first]: readonly Download[]): Events {
    if (!first) return;
    const { digest, size } = first.blob;
    yield downloading(this.#options.dialect.downloading(digest), digest, size, 0);
  }

  *#reportTick(all: readonly Download[], downloads: readonly Download[]): Events {
    const { layers, downloading } = this.#options.dialect;
    if (layers === "aggregate") {
      // A model that is already downloaded is not reported.
      if (downloads.length > 0) yield this.#reportAsOne(all);
      return;
    }
    for (const download of layers === "parallel" ? all : downloads) {
      yield this.#report(download, downloading);
    }
  }

  /** When the last of the downloads ends, or `undefined` if all have. */
  #endOf(downloads: readonly Download[], now: number): number | undefined {
    let end: number | undefined;
    for (const download of downloads) {
      const endsAt = download.endAt(now);
      if (!download.isDone) end = Math.max(end ?? 0, endsAt);
    }
    return end;
  }

  /** When downloads that end now count as complete: at the next step of the dialect's grid. */
  #countedTime({ length }: readonly Download[], startedAt: number): number {
    const { dialect: { completionGridMs }, now } = this.#options;
    if (completionGridMs === undefined || length === 0) return now();
    return startedAt + Math.ceil((now() - startedAt) / completionGridMs) * completionGridMs;
  }

  /** Resumes the paused downloads whose time is over. Returns when the next one is due. */
  #thaw(): number {
    if (this.#freezes.length === 0) return Infinity;
    const now = this.#options.now();
    const due = this.#freezes.filter(({ until }) => until <= now);
    for (const { download } of due) download.release(now);
    this.#freezes = this.#freezes.filter((freeze) => !due.includes(freeze));
    return Math.min(...this.#freezes.map(({ until }) => until));
  }

  #thawAll(): void {
    for (const { download } of this.#freezes) download.release(this.#options.now());
    this.#freezes = [];
  }

  /** Reports how far a download has come. */
  #report(download: Download, words: Dialect["downloading"]): JobEvent {
    const { digest, size } = download.blob;
    return downloading(words(digest), digest, size, download.completedAt(this.#options.now()));
  }

  /** Reports how far downloads have come, as one figure. */
  #reportAsOne(downloads: readonly Download[]): JobEvent {
    const now = this.#options.now();
    const total = sum(downloads, ({ blob }) => blob.size);
    const completed = sum(downloads, (download) => download.completedAt(now));
    const words = this.#options.dialect.downloading(DIGEST_OF_ALL_LAYERS);
    return downloading(words, DIGEST_OF_ALL_LAYERS, total, completed);
  }

  #activeDownload(blob: Blob | undefined): Download | undefined {
    const now = this.#options.now();
    return (blob ? [blob] : this.#distinct)
      .map((each) => this.#download(each))
      .find((download) => download.callers > 0 && download.completedAt(now) < download.blob.size);
  }

  #download(blob: Blob): Download {
    return this.#options.store.download(blob);
  }
}

/** A line about a download. The real server leaves out fields that are 0. */
function downloading(
  status: string | undefined,
  digest: string,
  total: number,
  completed: number,
): JobEvent {
  const object = { status, digest, total: total || undefined, completed: completed || undefined };
  return { phase: "downloading", object };
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
