/**
 * Plays a recorded answer: its bytes at the recorded times, with faults applied.
 *
 *     chunks ── framing ──▶ chunks ── faults at points ──▶ Action
 *
 * @module
 */

import type { Action, SentAction } from "../exchange/actions.ts";
import type { ArmedFault, StrikeKind } from "../faults/faults.ts";
import type { FaultKind } from "../faults/kinds.ts";
import { findLayer } from "../faults/points.ts";
import type { Model } from "../models/models.ts";
import type {
  BehavioursByStage,
  LastingStage,
  PointBehaviour,
  StruckPull,
} from "../pull/behaviour.ts";
import { type Strikers, strikersOf } from "../pull/behaviours.ts";
import { reframe } from "./framing.ts";
import {
  errorOf,
  linesOf,
  lineStartFrom,
  offsetOf,
  type RecordedLine,
  successOf,
} from "./lines.ts";
import type { RecordedChunk, RecordedExchange } from "./recording.ts";

const utf8 = new TextEncoder();

/** Options of {@link RecordedPlayer}. */
export interface PlayerOptions {
  readonly exchange: RecordedExchange;
  /** The model that was pulled. */
  readonly model: Model;
  /** How fast to play it, as a multiple of the recorded speed. With `Infinity`, it takes no time. */
  readonly speed: number;
  /** The faults, all of kinds that can strike recordings. */
  readonly faults: readonly ArmedFault[];
  /** The clock, in milliseconds. */
  readonly now: () => number;
  /** Writes an error line, with a newline if it had one. */
  readonly errorLine: (message: string) => string;
  /** Called when a fault strikes. */
  readonly onStrike: (kind: FaultKind) => void;
  /** Called with the message of an error line, recorded or sent by a fault. */
  readonly onError: (message: string) => void;
  /** Called before the bytes that report `success` are sent. */
  readonly onSuccess: () => void;
}

/** How a body ends: together with its last bytes, later, or with a broken connection. */
type Ending = "with the last bytes" | "whole" | "broken";

/** A fault, and the offset of the byte before which it strikes. */
interface Stop {
  readonly fault: ArmedFault;
  readonly offset: number;
  readonly strike: () => Iterable<Action>;
}

/** Plays one exchange. */
export class RecordedPlayer {
  readonly #options: PlayerOptions;
  readonly #chunks: readonly RecordedChunk[];
  /** The faults that have not struck yet, in order of offset. */
  readonly #stops: Stop[];
  /** The offset after the line that reports `success`, or `Infinity` if there is none. */
  readonly #successAt: number;
  /** The recorded error message, if there was one. */
  readonly #error: string | undefined;
  /** The size of the body, in bytes. */
  readonly #total: number;
  readonly #ending: Ending;
  /** For `split`: the size of a chunk, in bytes. */
  readonly #maxChunkBytes: number;
  /** The size of a chunk in bytes, set by the fault `split`. */
  #startedAt: number;
  #bytesSent = 0;

  /** Starts playing now. */
  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    const strikers = strikersOf(options.faults);
    const endings = this.#strikeAll(strikers, "ending");
    const chunkings = this.#strikeAll(strikers, "chunk");
    this.#maxChunkBytes = chunkings.find(({ bytes }) => bytes)?.bytes ?? Infinity;
    this.#chunks = reframe(options.exchange.chunks, {
      endingOf: (place) =>
        endings.filter((each) => each.concerns(place))
          .reduce((ending, each) => each.change(ending), "\n"),
      linesPerChunk: chunkings.find(({ lines }) => lines)?.lines,
    });
    const lines = linesOf(this.#chunks);
    this.#successAt = successOf(lines)?.end ?? Infinity;
    this.#error = errorOf(lines);
    this.#total = lines.at(-1)?.end ?? 0;
    this.#ending = this.#endingOf(options.exchange);
    this.#stops = [
      ...this.#stopsAtPoints(strikers, lines),
      ...this.#stopsAtSuccess(strikers, lines),
    ]
      .sort((a, b) => a.offset - b.offset);
  }

  /** The milliseconds left until a recorded time. */
  msUntil(atMs: number): number {
    const { speed, now } = this.#options;
    return Math.max(0, this.#startedAt + atMs / speed - now());
  }

  /** What is sent of the body, in order. */
  *actions(): Generator<SentAction, void, void> {
    const { exchange: { end } } = this.#options;
    if (yield* this.#strike()) return;
    for (const { atMs, bytes } of this.#chunks) {
      yield* this.#waitUntil(atMs);
      for (let rest = bytes; rest.length > 0;) {
        const length = Math.min(rest.length, this.#bytesToStop());
        yield* this.#send(rest.subarray(0, length));
        rest = rest.subarray(length);
        if (yield* this.#strike()) return;
      }
    }
    yield* this.#waitUntil(end.atMs);
    if (this.#ending === "broken") yield { do: "reset" };
  }

  /**
   * How a body ends. If the client left, the recording does not show what would have come next, so the
   * connection breaks there. But many clients leave once they have read `success`, after which nothing comes.
   */
  #endingOf({ chunks, end }: RecordedExchange): Ending {
    if (end.how === "left" && this.#successAt < Infinity) return "with the last bytes";
    if (end.how !== "whole") return "broken";
    return end.atMs === chunks.at(-1)?.atMs ? "with the last bytes" : "whole";
  }

  /** Strikes with the lasting faults of a stage. Returns their behaviours. */
  #strikeAll<Stage extends LastingStage>(
    { lasting }: Strikers,
    stage: Stage,
  ): readonly BehavioursByStage[Stage][] {
    const { exchange, onStrike } = this.#options;
    if (exchange.chunks.length === 0) return [];
    return lasting.flatMap((strikers) => {
      // Of several faults of one kind, the first that can strike does.
      const striker = strikers.find(({ behaviour, fault }) =>
        behaviour.stage === stage && fault.strike()
      );
      if (!striker) return [];
      onStrike(striker.fault.kind as FaultKind);
      return [striker.behaviour as BehavioursByStage[Stage]];
    });
  }

  /** The faults at points of the recording. */
  #stopsAtPoints({ atPoints }: Strikers, lines: readonly RecordedLine[]): readonly Stop[] {
    return atPoints.flatMap(({ fault, behaviour }) => {
      const offset = this.#offsetOf(fault, behaviour, lines);
      return offset === undefined
        ? []
        : [{ fault, offset, strike: () => behaviour.strike(this.#struckPull) }];
    });
  }

  #offsetOf(
    { at = {} }: ArmedFault,
    { strikesInLine }: PointBehaviour,
    lines: readonly RecordedLine[],
  ): number | undefined {
    const digestOf = (layer: number | string) => findLayer(this.#options.model, layer)?.digest;
    const offset = offsetOf(at, lines, digestOf);
    return strikesInLine || offset === undefined ? offset : lineStartFrom(offset, lines);
  }

  /** The faults that replace `success`. */
  #stopsAtSuccess({ lasting }: Strikers, lines: readonly RecordedLine[]): readonly Stop[] {
    const offset = successOf(lines)?.start;
    if (offset === undefined) return [];
    return lasting.flat().flatMap(({ fault, behaviour }) =>
      behaviour.stage === "event"
        ? [{ fault, offset, strike: () => behaviour.change(SUCCESS) as Iterable<Action> }]
        : []
    );
  }

  /** How many bytes can be sent before the next fault strikes. */
  #bytesToStop(): number {
    return (this.#stops[0]?.offset ?? Infinity) - this.#bytesSent;
  }

  *#waitUntil(atMs: number): Generator<SentAction, void, void> {
    const ms = this.msUntil(atMs);
    if (ms > 0) yield { do: "wait", ms };
  }

  *#send(bytes: Uint8Array<ArrayBuffer>): Generator<SentAction, void, void> {
    for (let rest = bytes; rest.length > 0; rest = rest.subarray(this.#maxChunkBytes)) {
      const chunk = rest.subarray(0, this.#maxChunkBytes);
      const sent = this.#bytesSent + chunk.length;
      if (this.#bytesSent < this.#successAt && sent >= this.#successAt) this.#options.onSuccess();
      this.#bytesSent = sent;
      if (sent < this.#total) yield { do: "send", bytes: chunk };
      else yield this.#sendLast(chunk);
    }
  }

  #sendLast(bytes: Uint8Array<ArrayBuffer>): SentAction {
    if (this.#error !== undefined) this.#options.onError(this.#error);
    const isEnd = this.#ending === "with the last bytes" && this.#bytesToStop() > 0;
    return { do: "send", bytes, ...(isEnd && { ends: "finished" }) };
  }

  /** Performs the faults due here. Returns whether one of them has ended the answer. */
  *#strike(): Generator<SentAction, boolean, void> {
    while (this.#bytesToStop() <= 0) {
      const { fault, strike } = this.#stops.shift()!;
      if (!fault.strike()) continue;
      if (isFault(fault.kind)) this.#options.onStrike(fault.kind);
      for (const action of strike()) {
        const sent = action.do === "fail" ? this.#fail(action.message) : action;
        yield sent;
        if (endsAnswer(sent)) return true;
      }
    }
    return false;
  }

  /** The pull as a fault sees it. There is no download, so a stall changes only the timing. */
  get #struckPull(): StruckPull {
    const { now } = this.#options;
    return {
      blob: undefined,
      job: {
        ...NO_DOWNLOAD,
        standStill: () => {
          const heldAt = now();
          return () => void (this.#startedAt += now() - heldAt);
        },
      },
      line: (object) => [sendText(`${JSON.stringify(object)}\n`)],
      text: (text) => [sendText(`${text}\n`)],
    };
  }

  #fail(message: string): SentAction {
    this.#options.onError(message);
    return { ...sendText(this.#options.errorLine(message)), ends: "faulted" };
  }
}

/** A stand-in for the event that a fault replaces. */
const SUCCESS = { phase: "success", object: { status: "success" } } as const;

/**
 * No fault on downloads can strike a recorded pull. Bytes that were due during a stall follow right after it.
 */
const NO_DOWNLOAD = {
  goOn() {},
  pass() {},
  freeze() {},
  rollBack() {},
  drop() {},
};

function isFault(kind: StrikeKind): kind is FaultKind {
  return kind !== "hold";
}

function sendText(text: string): Extract<SentAction, { do: "send" }> {
  return { do: "send", bytes: utf8.encode(text) };
}

function endsAnswer(action: Action): boolean {
  return action.do === "end" || action.do === "reset" ||
    (action.do === "send" && action.ends !== undefined);
}
