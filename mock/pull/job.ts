/**
 * One pull for one caller, as the objects that the server reports.
 *
 * A job is a generator that never waits itself: it yields how long to wait. So it can be ended at any moment,
 * and then leaves its downloads at once.
 *
 * @module
 */

import { type Dialect, UNKNOWN_MODEL } from "../../src/dialects.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../src/status.ts";
import { type Blob, blobsOf, distinctBlobsOf, type Model } from "../models/models.ts";
import type { BlobStore, Download, Milestone } from "./downloads.ts";

/** An object of the stream before it is encoded. Fields that are `undefined` are left out. */
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

/** A pull has nothing to do for some time. */
export interface JobWait {
  readonly phase: "waiting";
  readonly ms: number;
}

/** A pull has reached one of its milestones. Its downloads pause until it goes on. */
export interface JobPoint {
  readonly phase: "point";
  /** The progress of the downloads, to be reported before any fault strikes here. */
  readonly reports: readonly JobEvent[];
}

/** What a job does: it reports something, waits, or has reached a milestone. */
export type JobSteps = Generator<JobEvent | JobWait | JobPoint, void, void>;

type Events = Generator<JobEvent, void, void>;

/** A failed pull. The message is the real server's. */
export class PullFailure extends Error {
  /** Always `"PullFailure"`. */
  override readonly name = "PullFailure";
}

/** Why a model cannot be pulled. */
export interface Obstacle {
  /** The server's error message. */
  readonly message: string;
  /** Whether the server notices before it asks the registry. */
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
  /** When it begins. */
  readonly startsAt: number;
  /**
   * How late a wait may end, in milliseconds, and still count as on time, so that a pull is the same each
   * time even though timers fire slightly late. After a longer delay, the pull has missed what was due
   * meanwhile.
   */
  readonly toleranceMs: number;
  /** The milestones at which the pull pauses. */
  readonly milestones: readonly JobMilestone[];
  /** Records the installed model. Returns whether the previous version had layers that this one lacks. */
  readonly install: (model: Model) => boolean;
}

/** A number of bytes on disk, of one blob of a model or of all blobs together. */
export interface JobMilestone {
  /** The blob. @default all */
  readonly blob?: Blob | undefined;
  /** How many bytes. */
  readonly bytes: number;
}

/**
 * How late a timer may be, in milliseconds, without any effect on what is sent. Timers on a busy machine are
 * less late than this, and a reader that has stopped reading delays the pull by more.
 */
const LATE_MS = 1_000;

/** The timing options of a job that begins now. `isNeverLate` says that the clock is exact. */
export function beginTime(
  now: () => number,
  isNeverLate: boolean,
): Pick<JobOptions, "now" | "startsAt" | "toleranceMs"> {
  if (isNeverLate) return { now, startsAt: now(), toleranceMs: 0 };
  // Whole milliseconds, so that sums of times are the same whenever a pull begins.
  return { now, startsAt: Math.ceil(now()), toleranceMs: LATE_MS };
}

/** A download that is paused until some time. */
interface Freeze {
  readonly download: Download;
  readonly until: number;
}

/** A pull for one caller. Ending the iteration leaves its downloads. */
export class PullJob {
  readonly #options: JobOptions;
  /** All blobs of the model, in order, with duplicates. */
  readonly #blobs: readonly Blob[];
  /** The blobs without duplicates. */
  readonly #distinct: readonly Blob[];
  #freezes: Freeze[] = [];
  #milestones: Milestone[] = [];
  /** The pull's current time, in milliseconds: when its current step was due, not when a late timer fired. */
  #time: number;

  constructor(options: JobOptions) {
    this.#options = options;
    this.#time = options.startsAt;
    this.#blobs = options.model ? blobsOf(options.model) : [];
    this.#distinct = options.model ? distinctBlobsOf(options.model) : [];
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
    return this.#download(blob).completedAt(this.#time);
  }

  /** Whether a blob is being downloaded, or any blob if none is given. */
  isDownloading(blob?: Blob): boolean {
    return this.#activeDownload(blob) !== undefined;
  }

  /** Loses bytes of a blob that is being downloaded. */
  rollBack(blob: Blob | undefined, bytes: number): void {
    this.#activeDownload(blob)?.rollBack(bytes, this.#time);
  }

  /** Pauses the download of a blob for a time. */
  freeze(blob: Blob | undefined, milliseconds: number): void {
    const download = this.#activeDownload(blob);
    if (!download) return;
    download.hold(this.#time);
    this.#freezes.push({ download, until: this.#time + milliseconds });
  }

  /** Whether it has reached a milestone, where its downloads pause. */
  get isAtMilestone(): boolean {
    return this.#milestones.some((milestone) => milestone.reachedAt(this.#time) <= this.#time);
  }

  /** Resumes downloads that are paused at a milestone. */
  goOn(): void {
    const reached = this.#milestones.filter((each) => each.reachedAt(this.#time) <= this.#time);
    for (const milestone of reached) milestone.pass(this.#time);
    this.#milestones = this.#milestones.filter((milestone) => !reached.includes(milestone));
  }

  /** Pauses the downloads. Returns a function that resumes them from the time when it is called. */
  standStill(): () => void {
    const held = this.#distinct.map((blob) => this.#download(blob)).filter(({ isDone }) => !isDone);
    for (const download of held) download.hold(this.#time);
    return () => {
      const { now, toleranceMs } = this.#options;
      this.#time = Math.max(this.#time, toleranceMs === 0 ? now() : Math.ceil(now()));
      for (const download of held) download.release(this.#time);
    };
  }

  /** Accounts for time during which the pull was kept waiting. */
  pass(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Drops a blob, as the server does when its checksum is wrong. */
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
    const { store, milestones } = this.#options;
    this.#milestones = milestones.flatMap(({ blob, bytes }) =>
      store.milestone(blob ? [blob] : this.#distinct, bytes, this.#time) ?? []
    );
    try {
      yield* this.#downloadEach();
    } finally {
      for (const milestone of this.#milestones) milestone.pass(this.#time);
    }
  }

  *#downloadEach(): JobSteps {
    if (this.#options.dialect.layers !== "sequential") {
      return yield* this.#downloadTogether(this.#distinct);
    }
    for (const blob of this.#blobs) yield* this.#downloadTogether([blob]);
  }

  /** Downloads blobs at the same time, and reports their progress at every tick. */
  *#downloadTogether(blobs: readonly Blob[]): JobSteps {
    const { dialect, tickMs } = this.#options;
    const startedAt = this.#time;
    const all = blobs.map((blob) => this.#download(blob));
    const downloads = all.filter((each) => each.completedAt(startedAt) < each.blob.size);

    for (const download of downloads) download.join(startedAt);
    try {
      yield* this.#reportStart(all, downloads);
      let tick = startedAt + tickMs;
      let countsAt: number | undefined;
      for (;;) {
        const thawsAt = this.#thaw();
        const pausesAt = this.#nextMilestone();
        const endsAt = this.#endOf(downloads) ??
          (countsAt ??= this.#countedTime(downloads, startedAt));
        if (endsAt <= this.#time) break;
        if (pausesAt <= this.#time) {
          yield* this.#pause(all, downloads);
          continue;
        }
        if (this.#time < tick) {
          yield* this.#waitUntil(Math.min(tick, endsAt, thawsAt, pausesAt));
          continue;
        }
        // If a slow reader misses several ticks, a Go ticker delivers only one of them.
        tick += tickMs * (Math.floor((this.#time - tick) / tickMs) + 1);
        yield* this.#reportTick(all, downloads);
      }
      if (dialect.concludes) yield* this.#reportTick(all, downloads);
    } finally {
      this.#thawAll();
      for (const download of downloads) download.leave(this.#time);
    }
  }

  *#waitUntil(time: number): JobSteps {
    const { now, toleranceMs } = this.#options;
    yield { phase: "waiting", ms: Math.max(0, time - now()) };
    this.#time = now() - time > toleranceMs ? now() : Math.max(this.#time, time);
  }

  /** Reports the progress at a milestone, and then resumes the downloads. */
  *#pause(all: readonly Download[], downloads: readonly Download[]): JobSteps {
    yield { phase: "point", reports: [...this.#reportTick(all, downloads)] };
    this.goOn();
  }

  /** When the next milestone will be reached. */
  #nextMilestone(): number {
    if (this.#milestones.length === 0) return Infinity;
    return Math.min(...this.#milestones.map((milestone) => milestone.reachedAt(this.#time)));
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

  /** When the last of the downloads will end, or `undefined` if all are complete. */
  #endOf(downloads: readonly Download[]): number | undefined {
    let end: number | undefined;
    for (const download of downloads) {
      const endsAt = download.endAt(this.#time);
      if (!download.isDone) end = Math.max(end ?? 0, endsAt);
    }
    return end;
  }

  /** When downloads that end now count as complete: at the next step of the dialect's grid. */
  #countedTime({ length }: readonly Download[], startedAt: number): number {
    const { completionGridMs } = this.#options.dialect;
    if (completionGridMs === undefined || length === 0) return this.#time;
    const steps = Math.ceil((this.#time - startedAt) / completionGridMs);
    return startedAt + steps * completionGridMs;
  }

  /** Resumes the paused downloads whose time is over. Returns when the next one is due. */
  #thaw(): number {
    if (this.#freezes.length === 0) return Infinity;
    const due = this.#freezes.filter(({ until }) => until <= this.#time);
    for (const { download } of due) download.release(this.#time);
    this.#freezes = this.#freezes.filter((freeze) => !due.includes(freeze));
    return Math.min(...this.#freezes.map(({ until }) => until));
  }

  #thawAll(): void {
    for (const { download } of this.#freezes) download.release(this.#time);
    this.#freezes = [];
  }

  /** Reports the progress of one download. */
  #report(download: Download, words: Dialect["downloading"]): JobEvent {
    const { digest, size } = download.blob;
    return downloading(words(digest), digest, size, download.completedAt(this.#time));
  }

  /** Reports the progress of several downloads as one figure. */
  #reportAsOne(downloads: readonly Download[]): JobEvent {
    const total = sum(downloads, ({ blob }) => blob.size);
    const completed = sum(downloads, (download) => download.completedAt(this.#time));
    const words = this.#options.dialect.downloading(DIGEST_OF_ALL_LAYERS);
    return downloading(words, DIGEST_OF_ALL_LAYERS, total, completed);
  }

  #activeDownload(blob: Blob | undefined): Download | undefined {
    const isUnderWay = (download: Download) =>
      download.callers > 0 && download.completedAt(this.#time) < download.blob.size;
    return (blob ? [blob] : this.#distinct)
      .map((each) => this.#download(each))
      .find(isUnderWay);
  }

  #download(blob: Blob): Download {
    return this.#options.store.download(blob);
  }
}

/** A line about a download. Like the real server, it leaves out fields that are 0. */
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
