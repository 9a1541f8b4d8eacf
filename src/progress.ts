/**
 * How far a pull has come: statuses to snapshots of the whole.
 *
 * {@link ProgressTracker} holds what is known of each layer and the sums over all of them, which are
 * kept up to date rather than made anew, so that a status costs the same with one layer or thousands.
 * (A snapshot copies the list of layers if one of them has changed.)
 * The tracker has no clock: it is told when each status arrived.
 *
 * @module
 */

import { PullError, quote } from "./errors.ts";
import { TransferRate } from "./rate.ts";
import { type DecodePullOptions, PullDecoder } from "./pull_decoder.ts";
import {
  DIGEST_OF_ALL_LAYERS,
  type DownloadingStatus,
  isByteCount,
  type PullStatus,
} from "./status.ts";
import { readThrough, type Step, transformPair } from "./streams.ts";

/** What a pull is doing. A phase can be passed over, and can come again where a server starts anew. */
export type PullPhase = Exclude<PullStatus["kind"], "error" | "other">;

/** How far one layer has come. */
export interface PullLayer {
  /** The layer's digest, as the server gave it. */
  readonly digest: string;
  /** Its size in bytes. Absent while that is unknown. */
  readonly total?: number;
  /** The bytes of it that are there. Never falls. */
  readonly completed: number;
  /** Whether all of it is there. */
  readonly done: boolean;
}

/** How far a pull has come. A snapshot: it never changes. */
export interface PullProgress {
  /** What the pull is doing. */
  readonly phase: PullPhase;
  /** The server's own words for it: the latest that it used. */
  readonly status: string;
  /** The bytes that are there, over all layers known. Never falls. */
  readonly completed: number;
  /** The size in bytes of all layers known; of one whose size is unknown, the bytes that are there. */
  readonly total: number;
  /**
   * How much of the pull is done: 0 while nothing is known, below 1 until `success`, exactly 1 there.
   * Never falls. Layers of unknown size are left out of it.
   */
  readonly fraction: number;
  /** The layers, in the order in which they were first seen. */
  readonly layers: readonly PullLayer[];
  /** How fast bytes come in, smoothed. Absent until it means something and after the download. */
  readonly bytesPerSecond?: number;
  /** How long the layers known still take, in seconds. Absent whenever that cannot be told. */
  readonly etaSeconds?: number;
}

/** The digest and size of a layer, as a manifest lists them. */
export interface LayerSize {
  /** The digest, as in `sha256:…`. */
  readonly digest: string;
  /** The size in bytes. */
  readonly size: number;
}

/** Options of {@link PullProgressStream}. */
export interface PullProgressOptions {
  /**
   * The layers that are to be pulled, from the model's manifest (its `layers` and its `config`). With
   * them `total` is right from the first update; without, a layer counts once the server names it.
   */
  layers?: Iterable<LayerSize>;
  /**
   * The time in milliseconds, from any clock that does not run backwards.
   *
   * @default {performance.now}
   */
  now?: () => number;
}

/** Options of {@link decodeProgress}. */
export interface DecodeProgressOptions extends DecodePullOptions, PullProgressOptions {}

/** As many layers as a server may name: many times those of any model, and few enough to be kept. */
const MAX_LAYERS = 10_000;

/** The largest fraction of a pull that is not done: the last number below 1. */
const MAX_FRACTION = 1 - 2 ** -53;

interface Layer {
  readonly index: number;
  readonly digest: string;
  total: number | undefined;
  /** The most bytes that were there at any time. */
  completed: number;
  /** The bytes that the server last said are there: fewer than `completed` after a rollback. */
  received: number;
  /** When the server last said so. */
  heard: number;
  /**
   * When it first said so in this connection, or rolled bytes back: what was there by then is not
   * speed. `Infinity` until then.
   */
  since: number;
}

/** Follows a pull, status by status. */
export class ProgressTracker {
  readonly #layers = new Map<string, Layer>();
  /** The layer that was last heard of. */
  #latest: Layer | undefined;
  /** The layers that were not done when a later phase last began. Some of them may be by now. */
  #open: Layer[] = [];
  readonly #rate = new TransferRate();
  /** What the pull is doing. */
  phase: PullPhase = "manifest";
  /** The bytes that are there, over all layers. */
  completed = 0;
  #status = "";
  #fraction = 0;

  /** Sums over all layers, in bytes. */
  #total = 0;
  #received = 0;
  /** What layers of unknown size add to `completed` and `#total`, and how many have a known one. */
  #unsized = 0;
  #sized = 0;

  /** The layers as snapshots show them, and whether one has this list, which then never changes. */
  #shown: PullLayer[] = [];
  #isShown = false;

  constructor(layers: Iterable<LayerSize> = []) {
    for (const { digest, size } of layers) {
      if (!digest || !isByteCount(size)) {
        throw new TypeError("A layer needs a digest and a size");
      }
      if (!this.#layers.has(digest)) this.#addLayer(digest, size);
    }
  }

  /** Whether the pull has succeeded. */
  get succeeded(): boolean {
    return this.phase === "success";
  }

  /**
   * Takes a status that arrived at a time in milliseconds.
   *
   * @throws {PullError} `server`, for an `error` object; `malformed`, for more layers than there can be.
   */
  push(status: PullStatus, time: number): void {
    if (status.kind === "error") {
      throw new PullError("server", status.error || "unknown error");
    }
    if (this.succeeded) return;
    this.#status = status.status ?? this.#status;
    if (status.kind === "other") return;

    this.phase = status.kind;
    if (status.kind === "downloading") this.#download(status, time);
    else if (status.kind !== "manifest") this.#completeLayers();
    this.#raiseFraction();
  }

  /**
   * Takes the end of the statuses.
   *
   * @throws {PullError} `truncated`, if there was no `success`.
   */
  end(): void {
    if (this.succeeded) return;
    const after = this.#status && `, after ${quote(this.#status)}`;
    throw new PullError("truncated", `The stream ended without success${after}`);
  }

  /** Prepares for a new connection: what its first statuses say was there before. */
  restart(): void {
    for (const layer of this.#open) layer.since = Infinity;
  }

  /** How far the pull has come. */
  snapshot(): PullProgress {
    const progress: { -readonly [Key in keyof PullProgress]: PullProgress[Key] } = {
      phase: this.phase,
      status: this.#status,
      completed: this.completed,
      // From 2^53 on sums are rounded, and may end up the wrong way round.
      total: Math.max(this.#total, this.completed),
      fraction: this.#fraction,
      layers: this.#shown,
    };
    this.#isShown = true;
    if (this.phase !== "downloading") return progress;

    const rate = this.#rate.bytesPerSecond;
    if (!(rate < Infinity)) return progress;
    progress.bytesPerSecond = rate;
    const seconds = Math.max(0, this.#total - this.#received) / rate;
    if (this.#sized === this.#layers.size && seconds < Infinity) {
      progress.etaSeconds = seconds;
    }
    return progress;
  }

  #download(status: DownloadingStatus, time: number): void {
    const layer = this.#findLayer(status.digest);
    if (layer.completed === layer.total) return;
    // The protocol leaves out what is 0, so a total of 0 says no more than none.
    const total = status.total ? Math.max(status.total, layer.completed) : layer.total;
    const received = Math.min(status.completed ?? layer.received, total ?? Infinity);
    this.#receive(layer, received, time);
    this.#set(layer, total, Math.max(layer.completed, received));
  }

  #findLayer(digest: string): Layer {
    // Most lines are about the same layer as the one before. To compare a digest costs less than to
    // look it up, for which all of it would be hashed.
    if (this.#latest?.digest === digest) return this.#latest;
    return this.#latest = this.#layers.get(digest) ?? this.#discoverLayer(digest);
  }

  #discoverLayer(digest: string): Layer {
    if (this.#layers.size >= MAX_LAYERS) {
      throw new PullError("malformed", "Too many layers");
    }
    const listed = this.#total;
    if (digest !== DIGEST_OF_ALL_LAYERS || !listed || this.completed || this.#latest) {
      return this.#addLayer(digest);
    }
    this.#layers.clear();
    this.#open = [];
    this.#shown = [];
    this.#total = 0;
    this.#sized = 0;
    return this.#addLayer(digest, listed);
  }

  #addLayer(digest: string, total?: number): Layer {
    const layer: Layer = {
      index: this.#layers.size,
      digest,
      total: undefined,
      completed: 0,
      received: 0,
      heard: 0,
      since: Infinity,
    };
    this.#layers.set(digest, layer);
    this.#open.push(layer);
    this.#show(layer);
    this.#set(layer, total, 0);
    return layer;
  }

  /** Takes what is now known of a layer, and keeps the sums. */
  #set(layer: Layer, total: number | undefined, completed: number): void {
    if (total === layer.total && completed === layer.completed) return;
    if (layer.total === undefined) {
      this.#unsized -= layer.completed;
      if (total === undefined) this.#unsized += completed;
      else this.#sized++;
    }
    this.#total += (total ?? completed) - (layer.total ?? layer.completed);
    this.completed += completed - layer.completed;
    if (total !== layer.total) layer.total = total; // each number that is set is allocated anew
    layer.completed = completed;
    this.#show(layer);
  }

  /** Takes how many bytes of a layer the server says are there. */
  #receive(layer: Layer, received: number, time: number): void {
    const growth = received - layer.received;
    if (growth < 0 || time <= layer.since) {
      layer.since = time;
    } else {
      this.#rate.add(growth, layer.heard, time);
    }
    layer.heard = time;
    layer.received = received;
    this.#received += growth;
  }

  /** Completes every layer: a later phase has begun, and a layer's last bytes are often not told. */
  #completeLayers(): void {
    for (const layer of this.#open) {
      const total = layer.total ?? layer.completed;
      this.#set(layer, total, total);
    }
    this.#open = [];
    this.#received = this.#total;
  }

  #raiseFraction(): void {
    const part = (this.completed - this.#unsized) / (this.#total - this.#unsized) || 0;
    this.#fraction = this.succeeded ? 1 : Math.max(this.#fraction, Math.min(part, MAX_FRACTION));
  }

  /** Shows a layer as it is now. */
  #show({ index, digest, total, completed }: Layer): void {
    if (this.#isShown) this.#shown = this.#shown.slice();
    this.#isShown = false;
    const done = completed === total;
    this.#shown[index] = total === undefined
      ? { digest, completed, done }
      : { digest, total, completed, done };
  }
}

/**
 * Whether two snapshots in a row show the same. (Layers that have not changed are the same array, and
 * no field goes without another one changing.)
 */
function isSame(before: PullProgress | undefined, now: PullProgress): boolean {
  let name: keyof PullProgress;
  for (name in now) if (before?.[name] !== now[name]) return false;
  return true;
}

/** The time of the runtime, in milliseconds. */
export const defaultNow = (): number => performance.now();

/** Statuses to a snapshot each. */
export class PullProgressDecoder implements Step<PullStatus, PullProgress> {
  readonly #tracker: ProgressTracker;
  readonly #now: () => number;

  constructor({ layers, now = defaultNow }: PullProgressOptions) {
    this.#tracker = new ProgressTracker(layers);
    this.#now = now;
  }

  push(status: PullStatus, emit: (progress: PullProgress) => void): void {
    this.#tracker.push(status, this.#now());
    emit(this.#tracker.snapshot());
  }

  end(): void {
    this.#tracker.end();
  }
}

/**
 * Bytes to snapshots: one for each chunk that changed anything, and one at each change of phase.
 *
 * All statuses of a chunk arrived at the same time, so the clock is read once a chunk.
 */
export class ProgressDecoder implements Step<Uint8Array, PullProgress> {
  readonly #tracker: ProgressTracker;
  readonly #statuses: Step<Uint8Array, PullStatus>;
  readonly #now: () => number;
  /** The phase that was last emitted, or `undefined` before the first status. */
  #phase: PullPhase | undefined;
  #emitted: PullProgress | undefined;

  constructor(options: DecodeProgressOptions, tracker = new ProgressTracker(options.layers)) {
    this.#tracker = tracker;
    this.#statuses = new PullDecoder(options);
    this.#now = options.now ?? defaultNow;
  }

  push(chunk: Uint8Array, emit: (progress: PullProgress) => void): void {
    this.#run((onStatus) => this.#statuses.push(chunk, onStatus), emit);
  }

  end(emit: (progress: PullProgress) => void): void {
    this.#run((onStatus) => this.#statuses.end(onStatus), emit);
    this.#tracker.end();
  }

  /** Follows the statuses that some work gives, and emits what has changed, also when it fails. */
  #run(
    work: (onStatus: (status: PullStatus) => void) => void,
    emit: (progress: PullProgress) => void,
  ): void {
    const time = this.#now();
    try {
      work((status) => {
        this.#tracker.push(status, time);
        if (this.#tracker.phase === this.#phase) return;
        this.#phase = this.#tracker.phase;
        this.#emitSnapshot(emit);
      });
    } finally {
      if (this.#phase) this.#emitSnapshot(emit);
    }
  }

  #emitSnapshot(emit: (progress: PullProgress) => void): void {
    const progress = this.#tracker.snapshot();
    if (!isSame(this.#emitted, progress)) emit(this.#emitted = progress);
  }
}

/**
 * Aggregates the statuses of a pull: one snapshot of the whole for each status.
 *
 * Fails with {@link PullError} `server` at an `error` object, `malformed` when more than 10,000 layers
 * are named, and `truncated` when the statuses end without `success`. After `success` nothing but an `error` counts.
 *
 * ```ts
 * import { NdjsonDecoderStream, PullProgressStream, PullStatusStream } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const body = new Response([
 *   '{"status":"pulling manifest"}',
 *   '{"status":"pulling aaaa","digest":"sha256:aaaa","total":100,"completed":25}',
 *   '{"status":"success"}',
 * ].join("\n")).body!;
 *
 * const fractions: number[] = [];
 * const progress = body
 *   .pipeThrough(new NdjsonDecoderStream())
 *   .pipeThrough(new PullStatusStream())
 *   .pipeThrough(new PullProgressStream());
 * for await (const { fraction } of progress) fractions.push(fraction);
 * assertEquals(fractions, [0, 0.25, 1]);
 * ```
 */
export class PullProgressStream {
  /** The snapshots. */
  declare readonly readable: ReadableStream<PullProgress>;
  /** The statuses. */
  declare readonly writable: WritableStream<PullStatus>;

  /**
   * Makes an aggregator for one pull.
   *
   * @param options The layers, where they are known, and a clock.
   */
  constructor(options: PullProgressOptions = {}) {
    Object.assign(this, transformPair(new PullProgressDecoder(options)));
  }
}

/**
 * Decodes the body of a pull as progress: {@link decodePull} and {@link PullProgressStream} in one
 * step, with one snapshot for each chunk that changed anything and one at each change of phase.
 *
 * Fails as they do, after the last snapshot before the failure was delivered.
 *
 * ```ts
 * import { decodeProgress } from "@ollama-pull/kit";
 *
 * const body = new Response('{"status":"pulling manifest"}\n{"status":"success"}\n').body!;
 * for await (const { phase, fraction } of decodeProgress(body)) {
 *   console.log(phase, `${Math.floor(fraction * 100)} %`); // manifest 0 %, success 100 %
 * }
 * ```
 *
 * @param body The body of the response.
 * @param options Limits, what to do with malformed lines, the layers where they are known, and a clock.
 * @return The snapshots. Cancelling it cancels the body.
 */
export function decodeProgress(
  body: ReadableStream<Uint8Array>,
  options: DecodeProgressOptions = {},
): ReadableStream<PullProgress> {
  return readThrough(body.getReader(), new ProgressDecoder(options));
}
