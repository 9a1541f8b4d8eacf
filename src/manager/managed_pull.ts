/**
 * One pull of a {@link PullManager}: the stream that its hub reads, and its state.
 *
 *     waiting ── begin ──▶ running ──▶ succeeded or failed
 *        └──── cancel ────────┴─────▶ cancelled
 *
 * @module
 */

import { errorToJson } from "../errors.ts";
import type { PullProgress } from "../snapshot.ts";
import { ignoreRejection } from "../streams/producer.ts";
import type { PullEntry, PullEntryJson, PullState } from "./entry.ts";
import { createKeptHub, type HubKeeper, type PullHub, type PullHubOptions } from "./hub.ts";
import type { StartPull } from "./options.ts";
import type { CountedPull } from "./totals.ts";

/** Which model is pulled, and where. */
export interface PullIdentity {
  /** The same for all pulls of the same model on the same server. */
  readonly key: string;
  /** The model's name, as it was passed to `start`. */
  readonly model: string;
  /** The address of the server, without what may be secret. */
  readonly host: string;
}

/** Makes the stream of a pull. Its signal aborts when the pull is cancelled. */
export type OpenPull = (signal: AbortSignal) => ReturnType<StartPull>;

/** A pull, from when it waits for its turn until after its end. */
export class ManagedPull implements CountedPull, HubKeeper {
  readonly identity: PullIdentity;
  /** The hub by which it is watched. */
  readonly hub: PullHub;
  readonly #open: OpenPull;
  readonly #onChange: (pull: ManagedPull) => void;
  readonly #turn: Promise<void>;
  #beginTurn!: () => void;
  readonly #cancelled = new AbortController();
  #reader: ReadableStreamDefaultReader<PullProgress> | undefined;
  #state: PullState = "waiting";
  #progress: PullProgress | undefined;
  #error: Error | undefined;
  /** Aborts when it ends, however it ends. */
  readonly #ended = new AbortController();
  /** The current entry, once it was requested. */
  #entry: PullEntry | undefined;

  constructor(
    identity: PullIdentity,
    open: OpenPull,
    options: PullHubOptions,
    onChange: (pull: ManagedPull) => void,
  ) {
    this.identity = identity;
    this.#open = open;
    this.#onChange = onChange;
    this.#turn = new Promise((resolve) => this.#beginTurn = resolve);
    this.hub = createKeptHub(this.#stream(), options, this);
  }

  /** The address of the server. */
  get host(): string {
    return this.identity.host;
  }

  /** The state of the pull. */
  get state(): PullState {
    return this.#state;
  }

  /** The latest snapshot. */
  get progress(): PullProgress | undefined {
    return this.#progress;
  }

  /** Its entry: the same object until it changes. */
  get entry(): PullEntry {
    return this.#entry ??= new Entry(
      this.identity,
      this.#state,
      this.#progress,
      this.#error,
      this.hub,
    ) as PullEntry; // it has an error in the states that require one
  }

  /** Begins: it is its turn. */
  begin(): void {
    this.#change("running");
    this.#beginTurn();
  }

  /** Cancels it when a signal aborts. */
  follow(signal: AbortSignal): void {
    const cancel = () => this.hub.cancel(signal.reason);
    if (signal.aborted) return cancel();
    signal.addEventListener("abort", cancel, { signal: this.#ended.signal });
  }

  onProgress(progress: PullProgress): void {
    this.#progress = progress;
    this.#change(this.#state);
  }

  onEnd(state: PullState, reason: unknown): void {
    this.#ended.abort();
    if (state !== "succeeded") this.#error = asError(reason);
    this.#change(state);
  }

  /** The stream that the hub reads. It gives nothing until it is the pull's turn. */
  #stream(): ReadableStream<PullProgress> {
    return new ReadableStream({
      pull: async (controller) => {
        await this.#turn;
        this.#reader ??= await this.#connect();
        const { done, value } = await this.#reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => {
        this.#cancelled.abort(reason);
        return this.#reader?.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /** Opens the stream. By the time it is open, the pull may have been cancelled. */
  async #connect(): Promise<ReadableStreamDefaultReader<PullProgress>> {
    const { signal } = this.#cancelled;
    const stream = await this.#open(signal);
    if (signal.aborted) ignoreRejection(stream.cancel(signal.reason));
    return stream.getReader();
  }

  #change(state: PullState): void {
    this.#state = state;
    this.#entry = undefined;
    this.#onChange(this);
  }
}

/** An entry. The hub is not an own property, so copies leave it out. */
class Entry {
  declare readonly model: string;
  declare readonly host: string;
  declare readonly state: PullState;
  declare readonly progress?: PullProgress;
  declare readonly error?: Error;
  readonly #hub: PullHub;

  constructor(
    { model, host }: PullIdentity,
    state: PullState,
    progress: PullProgress | undefined,
    error: Error | undefined,
    hub: PullHub,
  ) {
    Object.assign(this, { model, host, state }, progress && { progress }, error && { error });
    this.#hub = hub;
  }

  get hub(): PullHub {
    return this.#hub;
  }

  toJSON(): PullEntryJson {
    const { error, ...rest } = this as Entry;
    return error ? { ...rest, error: errorToJson(error) } : rest;
  }
}

/** Wraps a thrown value in an error, unless it is one. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
