/**
 * Plays a recorded answer again: its bytes at their times, with faults on top.
 *
 *     chunks ── framing ──▶ chunks ── faults at points ──▶ Action
 *
 * @module
 */

import type { Action, SentAction } from "../exchange/actions.ts";
import { type ArmedFault, strikesAtPoint } from "../faults/faults.ts";
import type { FaultKind } from "../faults/kinds.ts";
import { findLayer } from "../faults/points.ts";
import type { Model } from "../models/models.ts";
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

/** The faults that send a line, and so wait for the end of the current one. */
const IS_A_LINE: ReadonlySet<ArmedFault["kind"]> = new Set([
  "error",
  "disk-full",
  "malformed",
  "unknown-status",
  "early-success",
]);

const utf8 = new TextEncoder();

/** Options of {@link RecordedPlayer}. */
export interface PlayerOptions {
  readonly exchange: RecordedExchange;
  /** The model that was pulled. */
  readonly model: Model;
  /** How many times as fast as it was recorded it is played. With `Infinity`, it takes no time. */
  readonly speed: number;
  /** The faults, all of them of kinds that strike recordings. */
  readonly faults: readonly ArmedFault[];
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Writes an error line, with its newline if it has one. */
  readonly errorLine: (message: string) => string;
  /** Called when a fault strikes. */
  readonly onStrike: (kind: FaultKind) => void;
  /** Called with the words of an error line, recorded or sent by a fault. */
  readonly onError: (message: string) => void;
  /** Called before the bytes are sent that say that the pull has succeeded. */
  readonly onSuccess: () => void;
}

/** How a body ends: with its last bytes or later, as HTTP says or with the connection. */
type Ending = "with the last bytes" | "whole" | "broken";

/** A fault, and before which byte it strikes. */
interface Stop {
  readonly fault: ArmedFault;
  readonly offset: number;
}

/** What is played of one exchange. */
export class RecordedPlayer {
  readonly #options: PlayerOptions;
  readonly #chunks: readonly RecordedChunk[];
  /** The faults that have not struck yet, the first ones first. */
  readonly #stops: Stop[];
  /** Before which byte the answer says that the pull has succeeded. */
  readonly #successAt: number;
  /** The words of the error that was recorded, if there was one. */
  readonly #error: string | undefined;
  /** The size of the body, in bytes. */
  readonly #total: number;
  readonly #ending: Ending;
  /** For `split`: the size of a chunk, in bytes. */
  readonly #maxChunkBytes: number;
  /** When it began, in milliseconds, without the time for which it was held. */
  #startedAt: number;
  #bytesSent = 0;

  /** Begins to play, now. */
  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#maxChunkBytes = this.#strikeAll("split", "bytes") ?? Infinity;
    this.#chunks = this.#reframe(options.exchange.chunks);
    const lines = linesOf(this.#chunks);
    this.#successAt = successOf(lines)?.end ?? Infinity;
    this.#error = errorOf(lines);
    this.#total = lines.at(-1)?.end ?? 0;
    this.#ending = this.#endingOf(options.exchange);
    this.#stops = options.faults.flatMap((fault) => {
      const offset = this.#offsetOf(fault, lines);
      return offset === undefined ? [] : [{ fault, offset }];
    }).sort((a, b) => a.offset - b.offset);
  }

  /** How long it is until a recorded time, in milliseconds. */
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
   * How a body ends. What would have come after its client had left is not known, so it is broken there. But
   * many clients leave when they have read of the success, after which nothing comes.
   */
  #endingOf({ chunks, end }: RecordedExchange): Ending {
    if (end.how === "left" && this.#successAt < Infinity) return "with the last bytes";
    if (end.how !== "whole") return "broken";
    return end.atMs === chunks.at(-1)?.atMs ? "with the last bytes" : "whole";
  }

  #reframe(chunks: readonly RecordedChunk[]): readonly RecordedChunk[] {
    return reframe(chunks, {
      hasCrLf: this.#strikeAll("crlf") !== undefined,
      hasBlankLines: this.#strikeAll("blank-lines") !== undefined,
      lacksFinalNewline: this.#strikeAll("no-final-newline") !== undefined,
      linesPerChunk: this.#strikeAll("coalesce", "lines"),
    });
  }

  /** Strikes with a fault on the whole answer. Returns a parameter of it, or `undefined` if there is none. */
  #strikeAll(kind: FaultKind, parameter?: string): number | undefined {
    const { faults, exchange, onStrike } = this.#options;
    if (exchange.chunks.length === 0) return undefined;
    const fault = faults.find((each) => each.kind === kind && each.strike());
    if (!fault) return undefined;
    onStrike(kind);
    return parameter === undefined ? 0 : Number(fault.parameters[parameter]);
  }

  #offsetOf({ kind, at = {} }: ArmedFault, lines: readonly RecordedLine[]): number | undefined {
    if (kind === "no-success") return successOf(lines)?.start;
    if (!strikesAtPoint(kind)) return undefined;
    const digestOf = (layer: number | string) => findLayer(this.#options.model, layer)?.digest;
    const offset = offsetOf(at, lines, digestOf);
    const isMoved = IS_A_LINE.has(kind) && offset !== undefined;
    return isMoved ? lineStartFrom(offset, lines) : offset;
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

  /** Performs the faults that strike here. Returns whether one of them has ended the answer. */
  *#strike(): Generator<SentAction, boolean, void> {
    while (this.#bytesToStop() <= 0) {
      const { fault } = this.#stops.shift()!;
      if (!fault.strike()) continue;
      if (fault.kind !== "hold") this.#options.onStrike(fault.kind);
      const action = this.#actionOf(fault);
      const heldAt = this.#options.now();
      yield action;
      if (action.do === "hold") this.#startedAt += this.#options.now() - heldAt;
      if (endsAnswer(action)) return true;
    }
    return false;
  }

  #actionOf({ kind, parameters, hold }: ArmedFault): SentAction {
    switch (kind) {
      case "hold":
        return { do: "hold", hold: hold! };
      case "cut":
      case "no-success":
        return { do: "end" };
      case "reset":
        return { do: "reset" };
      case "stall":
        // What was due meanwhile comes at once after it, as on a network that was stuck.
        return { do: "wait", ms: Number(parameters.ms) };
      case "malformed":
        return sendText(`${parameters.text}\n`);
      case "unknown-status":
        return sendText(`${JSON.stringify({ status: parameters.status })}\n`);
      case "early-success":
        return sendText('{"status":"success"}\n');
      default: {
        const message = String(parameters.message);
        this.#options.onError(message);
        return { ...sendText(this.#options.errorLine(message)), ends: "faulted" };
      }
    }
  }
}

function sendText(text: string): Extract<SentAction, { do: "send" }> {
  return { do: "send", bytes: utf8.encode(text) };
}

function endsAnswer(action: Action): boolean {
  return action.do === "end" || action.do === "reset" ||
    (action.do === "send" && action.ends !== undefined);
}
