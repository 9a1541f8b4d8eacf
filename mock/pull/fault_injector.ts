/**
 * Turns the events of a pull into the actions of its answer, and applies the faults.
 *
 *     JobEvent ── points, phases ──▶ objects ── fields ──▶ lines ── framing ──▶ bytes ── Action
 *
 * @module
 */

import { concatBytes } from "../../src/bytes.ts";
import type { WireError } from "../../src/dialects.ts";
import type { Action } from "../exchange/actions.ts";
import { type ArmedFault, strikesAtPoint } from "../faults/faults.ts";
import type { Hold } from "../faults/hold.ts";
import { type FaultKind, faultKinds } from "../faults/kinds.ts";
import { bytesOf, type FaultPoint, findLayer, FIRST_BYTE } from "../faults/points.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import type { Blob, Model } from "../models/models.ts";
import { seededDigest } from "../runtime/random.ts";
import type { JobEvent, PullJob, StatusObject } from "./job.ts";

/** The faults that can strike inside a line; the others wait for its end. */
const STRIKES_IN_A_LINE: ReadonlySet<ArmedFault["kind"]> = new Set([
  "cut",
  "reset",
  "stall",
  "hold",
]);

/** The faults that strike a download, and so wait until one is active. */
const STRIKES_A_DOWNLOAD: ReadonlySet<ArmedFault["kind"]> = new Set(["freeze", "rollback"]);

/** The faults that send a line. */
const IS_A_LINE: ReadonlySet<ArmedFault["kind"]> = new Set([
  "malformed",
  "unknown-status",
  "early-success",
]);

const utf8 = new TextEncoder();

/** The place of a line: before others, at the end, or at the end without a newline. */
type LinePlace = "within" | "last" | "cut";

/** Options of {@link FaultInjector}. */
export interface InjectorOptions {
  readonly faults: readonly ArmedFault[];
  readonly job: PullJob;
  readonly model: Model | undefined;
  /** Which lines are sent: all of them, or the last one by itself, without a newline. */
  readonly lines: "all" | "last";
  /** Called when a fault strikes. */
  readonly onStrike: (kind: FaultKind) => void;
}

/** What one pull sends. */
export class FaultInjector {
  readonly #options: InjectorOptions;
  /** The faults at a point that have not struck yet. */
  #pending: ArmedFault[];
  /** The faults on fields, framing and phases. */
  readonly #lasting: readonly ArmedFault[];
  /** Those of them that have struck. */
  readonly #struck = new Set<ArmedFault>();
  #manifestIsOut = false;
  #linesSent = 0;
  #bytesSent = 0;
  /** For `out-of-order`: the lines between the download and `success`. */
  #heldEvents: JobEvent[] = [];
  /** For `coalesce`: the lines that share the next chunk. */
  #heldBytes: Uint8Array<ArrayBuffer>[] = [];
  /** For `completed-falls`: the `completed` last sent for each layer, unless it was lowered. */
  readonly #lastCompleted = new Map<string | undefined, number>();

  constructor(options: InjectorOptions) {
    const strikesOnce = ({ kind }: ArmedFault) => strikesAtPoint(kind);
    this.#options = options;
    this.#pending = options.faults.filter(strikesOnce);
    this.#lasting = options.faults.filter((fault) => !strikesOnce(fault));
  }

  /** The actions that follow from an event of the pull. */
  event(event: JobEvent): Iterable<Action> {
    return this.#options.faults.length === 0 ? this.#plainEvent(event) : this.#faultyEvent(event);
  }

  /** The same as {@link #faultyEvent}, faster, for a pull without faults. */
  #plainEvent({ phase, object }: JobEvent): readonly Action[] {
    const isLast = phase === "success";
    if (this.#options.lines === "last" && !isLast) return [];
    // Without faults, no text needs Go's escapes.
    const text = JSON.stringify(object) + this.#ending(isLast ? "last" : "within");
    return [{ do: "send", bytes: utf8.encode(text) }];
  }

  *#faultyEvent(event: JobEvent): Generator<Action, void, void> {
    const { phase } = event;
    if (this.#pending.length > 0) yield* this.#strikeBefore(event);
    if (phase === "manifest") this.#manifestIsOut = true;
    if (phase === "writing") yield* this.#failChecksum();
    if (phase === "success") yield* this.#releaseHeld();
    if (phase === "success" && this.#isOn("no-success")) {
      yield* this.#flush();
      return yield { do: "end" };
    }
    if (this.#options.lines === "last" && phase !== "success") return;
    if (isFinalPhase(event) && this.#isOn("out-of-order")) return void this.#heldEvents.push(event);
    yield* this.#eventLines(event);
    if (phase === "success") yield* this.#flush();
  }

  /** The actions that follow when the pull has come to a milestone. */
  *point(reports: readonly JobEvent[]): Generator<Action, void, void> {
    const isSent = this.#options.lines === "all";
    for (const report of isSent ? reports : []) yield* this.#eventLines(report);
    yield* this.#strikeWhere(isSent);
  }

  /** The error line that ends the stream, with a newline if the dialect sends one. */
  *errorLine(error: WireError, hasNewline: boolean): Generator<Action, void, void> {
    yield* this.#line({ ...error }, hasNewline ? "last" : "cut");
    yield* this.#flush();
  }

  *#eventLines({ phase, object }: JobEvent): Generator<Action, void, void> {
    const place = phase === "success" ? "last" : "within";
    const isDoubled = phase !== "downloading" && this.#isOn("duplicate-phase");
    if (isDoubled) yield* this.#line(object, "within");
    yield* this.#line(object, place);
    if (phase !== "removing" || !this.#isOn("removing-fails")) return;
    const reason = this.#parameter("removing-fails", "message");
    yield* this.#line({ status: `couldn't remove unused layers: ${reason}` }, "within");
  }

  *#releaseHeld(): Generator<Action, void, void> {
    for (const event of this.#heldEvents.reverse()) yield* this.#eventLines(event);
    this.#heldEvents = [];
  }

  *#failChecksum(): Generator<Action, void, void> {
    const fault = this.#find("digest-mismatch");
    if (!fault) return;
    const blob = this.#blobAt(fault.at?.layer ?? 0);
    if (!blob) return;
    this.#options.job.drop(blob);
    const digests = `want ${blob.digest}, got ${seededDigest(blob.digest)}`;
    const message = `digest mismatch, file must be downloaded again: ${digests}`;
    yield { do: "fail", message, byFault: true };
  }

  /** Performs the faults whose point is reached, before the lines of an event. */
  *#strikeBefore({ phase }: JobEvent): Generator<Action, void, void> {
    // First of all, the pull pauses at a milestone that it has come to.
    if (this.#options.job.isAtMilestone) return;
    yield* this.#strikeWhere(this.#options.lines === "all" || phase === "success");
  }

  /** Performs the faults whose point is reached; those of lines only where lines are sent. */
  *#strikeWhere(isSent: boolean): Generator<Action, void, void> {
    const due = this.#takePending(({ kind, at = {} }) => {
      const isOfALine = IS_A_LINE.has(kind) || at.line !== undefined || at.byte !== undefined;
      if (isOfALine && !isSent) return false;
      if (
        STRIKES_A_DOWNLOAD.has(kind) && !this.#options.job.isDownloading(this.#blobAt(at.layer))
      ) {
        return false;
      }
      return this.#isReached(at);
    });
    for (const fault of due) yield* this.#perform(fault);
  }

  /** Takes the pending faults that are due. */
  #takePending(isDue: (fault: ArmedFault) => boolean): readonly ArmedFault[] {
    const due = this.#pending.filter(isDue);
    if (due.length > 0) this.#pending = this.#pending.filter((fault) => !due.includes(fault));
    return due;
  }

  #isReached({ line, byte, completed, layer }: FaultPoint): boolean {
    const { job } = this.#options;
    if (line !== undefined) return this.#linesSent + 1 >= line;
    if (byte !== undefined) return this.#bytesSent >= byte;
    // Bytes that were on disk before do not count until the pull has begun.
    if (!this.#manifestIsOut) return false;
    const blob = this.#blobAt(layer);
    if (blob) return job.completedOf(blob) >= bytesOf(completed ?? FIRST_BYTE, blob.size);
    return job.completed >= bytesOf(completed ?? 0, job.total);
  }

  #blobAt(layer: number | string | undefined): Blob | undefined {
    const { model } = this.#options;
    return layer === undefined || !model ? undefined : findLayer(model, layer);
  }

  /** Performs a fault at a point, unless it has struck as often as it may. */
  *#perform({ kind, parameters, at, strike, hold }: ArmedFault): Generator<Action, void, void> {
    const { job, onStrike } = this.#options;
    if (!strike()) return;
    if (kind === "hold") return yield* this.#holdAt(hold!);
    onStrike(kind);
    switch (kind) {
      case "error":
      case "disk-full":
        return yield { do: "fail", message: String(parameters.message), byFault: true };
      case "cut":
        yield* this.#flush();
        return yield { do: "end" };
      case "reset":
        yield* this.#flush();
        return yield { do: "reset" };
      case "stall":
        yield* this.#flush();
        job.goOn(); // only this caller hears nothing
        yield { do: "wait", ms: Number(parameters.ms) };
        return job.pass(Number(parameters.ms));
      case "freeze":
        return job.freeze(this.#blobAt(at?.layer), Number(parameters.ms));
      case "rollback":
        return job.rollBack(this.#blobAt(at?.layer), Number(parameters.bytes));
      case "malformed":
        return yield* this.#text(String(parameters.text), "within");
      case "unknown-status":
        return yield* this.#line({ status: String(parameters.status) }, "within");
      case "early-success":
        return yield* this.#line({ status: "success" }, "within");
    }
  }

  /** Waits for a test, while the downloads of the pull stand still. */
  *#holdAt(hold: Hold): Generator<Action, void, void> {
    yield* this.#flush();
    const goOn = this.#options.job.standStill();
    try {
      yield { do: "hold", hold };
    } finally {
      goOn();
    }
  }

  /** The lasting fault of a kind that strikes now, if there is one. */
  #find(kind: FaultKind): ArmedFault | undefined {
    if (this.#lasting.length === 0) return undefined;
    return this.#lasting.find((fault) => fault.kind === kind && this.#hasStruck(fault));
  }

  #hasStruck(fault: ArmedFault): boolean {
    if (this.#struck.has(fault)) return true;
    const { kind, at, strike } = fault;
    if (kind === "hold") return false;
    if (faultKinds[kind].at === "from" && at && !this.#isReached(at)) return false;
    if (!strike()) return false;
    this.#struck.add(fault);
    this.#options.onStrike(kind);
    return true;
  }

  #isOn(kind: FaultKind): boolean {
    return this.#find(kind) !== undefined;
  }

  #parameter(kind: FaultKind, name: string): string | number {
    return this.#find(kind)?.parameters[name] ?? 0;
  }

  *#line(object: StatusObject, place: LinePlace): Generator<Action, void, void> {
    const sent = this.#lasting.length > 0 ? this.#withFieldFaults(object) : object;
    yield* this.#text(stringifyGoJson(sent), place);
  }

  /** Applies the faults on fields to an object. */
  #withFieldFaults(object: StatusObject): StatusObject {
    const changed = { ...object };
    const { digest, total, completed } = object;
    if (completed !== undefined && this.#isOn("completed-falls")) {
      changed.completed = this.#fallingCompleted(digest, completed);
    }
    if (total !== undefined && this.#isOn("completed-over-total")) {
      changed.completed = total + Number(this.#parameter("completed-over-total", "bytes"));
    }
    if (completed !== undefined && this.#isOn("completed-absent")) delete changed.completed;
    if (!this.#isOn("unknown-fields")) return changed;
    const field = String(this.#parameter("unknown-fields", "field"));
    // Not by assigning: the field may be `__proto__`.
    return Object.fromEntries([...Object.entries(changed), [field, { nested: ["…", null, 1.5] }]]);
  }

  #fallingCompleted(digest: string | undefined, completed: number): number {
    const last = this.#lastCompleted.get(digest);
    if (last === undefined) this.#lastCompleted.set(digest, completed);
    else this.#lastCompleted.delete(digest);
    const bytes = Number(this.#parameter("completed-falls", "bytes"));
    return last === undefined ? completed : Math.max(0, last - bytes);
  }

  /** Sends a line, framed. */
  *#text(text: string, place: LinePlace): Generator<Action, void, void> {
    const bytes = utf8.encode(text + this.#ending(place));
    this.#linesSent++;
    if (!this.#isOn("coalesce")) return yield* this.#bytes(bytes);
    this.#heldBytes.push(bytes);
    if (this.#heldBytes.length >= Number(this.#parameter("coalesce", "lines"))) {
      yield* this.#flush();
    }
  }

  #ending(place: LinePlace): string {
    if (place === "cut") return "";
    if (place === "last") {
      if (this.#options.lines === "last" || this.#isOn("no-final-newline")) return "";
    }
    const newline = this.#isOn("crlf") ? "\r\n" : "\n";
    return this.#isOn("blank-lines") ? newline + newline : newline;
  }

  *#flush(): Generator<Action, void, void> {
    if (this.#heldBytes.length === 0) return;
    const bytes = concatBytes(this.#heldBytes);
    this.#heldBytes = [];
    yield* this.#bytes(bytes);
  }

  /** Sends bytes, up to the faults that strike among them, and then the rest. */
  *#bytes(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    if (this.#pending.length === 0) return yield* this.#send(bytes);
    const start = this.#bytesSent;
    const positionOf = ({ at }: ArmedFault) => (at?.byte ?? Infinity) - start;
    const due = this.#takePending((fault) =>
      positionOf(fault) < bytes.length && STRIKES_IN_A_LINE.has(fault.kind)
    );
    let sent = 0;
    for (const fault of due.toSorted((a, b) => positionOf(a) - positionOf(b))) {
      const end = Math.max(sent, positionOf(fault));
      yield* this.#send(bytes.subarray(sent, end));
      sent = end;
      yield* this.#perform(fault);
    }
    yield* this.#send(bytes.subarray(sent));
  }

  *#send(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    const isSplit = bytes.length > 0 && this.#isOn("split");
    const size = isSplit ? Number(this.#parameter("split", "bytes")) : bytes.length;
    for (let start = 0; start < bytes.length; start += size) {
      const chunk = bytes.subarray(start, start + size);
      this.#bytesSent += chunk.length;
      yield { do: "send", bytes: chunk };
    }
  }
}

function isFinalPhase({ phase }: JobEvent): boolean {
  return phase === "verifying" || phase === "writing" || phase === "removing";
}
