/**
 * Turns the events of a pull into the actions of its answer, and applies the faults.
 *
 *     JobEvent ── points, events ──▶ objects ── objects ──▶ lines ── endings, chunks ──▶ Action
 *
 * `behaviours.ts` says what each kind does at these stages.
 *
 * @module
 */

import { concatBytes } from "../../src/bytes.ts";
import type { WireError } from "../../src/dialects.ts";
import type { Action } from "../exchange/actions.ts";
import type { ArmedFault } from "../faults/faults.ts";
import type { FaultKind } from "../faults/kinds.ts";
import { bytesOf, type FaultPoint, findLayer, FIRST_BYTE } from "../faults/points.ts";
import { stringifyGoJson } from "../go_json/encode.ts";
import type { Blob, Model } from "../models/models.ts";
import type {
  BehavioursByStage,
  LastingStage,
  LinePlace,
  PointBehaviour,
  StruckPull,
} from "./behaviour.ts";
import { type LastingStrikers, type Striker, strikersOf } from "./behaviours.ts";
import type { JobEvent, PullJob, StatusObject } from "./job.ts";

const utf8 = new TextEncoder();

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

/** The stream of one pull. */
export class FaultInjector {
  readonly #options: InjectorOptions;
  /** Faults at a point that have not struck yet. */
  #pending: readonly Striker<PointBehaviour>[];
  /** Lasting faults, by kind. */
  readonly #lasting: readonly LastingStrikers[];
  /** Lasting faults that have struck. */
  readonly #struck = new Set<ArmedFault>();
  #manifestIsOut = false;
  #linesSent = 0;
  #bytesSent = 0;
  /** Lines held back for the next chunk. */
  #heldBytes: Uint8Array<ArrayBuffer>[] = [];

  constructor(options: InjectorOptions) {
    const { atPoints, lasting } = strikersOf(options.faults);
    this.#options = options;
    this.#pending = atPoints;
    this.#lasting = lasting;
  }

  /** The actions for an event of the pull. */
  event(event: JobEvent): Iterable<Action> {
    return this.#options.faults.length === 0 ? this.#plainEvent(event) : this.#faultyEvent(event);
  }

  /** The fast path, for a pull without faults. It must agree with {@link #faultyEvent}. */
  #plainEvent({ phase, object }: JobEvent): readonly Action[] {
    const isLast = phase === "success";
    if (this.#options.lines === "last" && !isLast) return [];
    // Without faults, no text contains characters that Go escapes.
    const text = JSON.stringify(object) + this.#ending(isLast ? "last" : "within");
    return [{ do: "send", bytes: utf8.encode(text) }];
  }

  *#faultyEvent(event: JobEvent): Generator<Action, void, void> {
    const { phase } = event;
    if (this.#pending.length > 0) yield* this.#strikeBefore(event);
    if (phase === "manifest") this.#manifestIsOut = true;
    if (phase === "writing") yield* this.#checkLayers();
    if (this.#options.lines === "last" && phase !== "success") return;
    yield* this.#eventLines(event);
    if (phase === "success") yield* this.#flush();
  }

  /** The actions at a milestone of the pull. */
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

  /** Performs the faults whose point is reached before the lines of an event. */
  *#strikeBefore({ phase }: JobEvent): Generator<Action, void, void> {
    // If the pull is at a milestone, it pauses there first.
    if (this.#options.job.isAtMilestone) return;
    yield* this.#strikeWhere(this.#options.lines === "all" || phase === "success");
  }

  /** Performs the faults whose point is reached. Faults that need lines strike only if lines are sent. */
  *#strikeWhere(isSent: boolean): Generator<Action, void, void> {
    const due = this.#takePending(({ fault: { at = {} }, behaviour: { needs } }) => {
      const isOfALine = needs === "lines" || at.line !== undefined || at.byte !== undefined;
      if (isOfALine && !isSent) return false;
      const { job } = this.#options;
      if (needs === "download" && !job.isDownloading(this.#blobAt(at.layer))) return false;
      return this.#isReached(at);
    });
    for (const striker of due) yield* this.#perform(striker);
  }

  /** Takes the pending faults that are due. */
  #takePending(
    isDue: (striker: Striker<PointBehaviour>) => boolean,
  ): readonly Striker<PointBehaviour>[] {
    const due = this.#pending.filter(isDue);
    if (due.length > 0) this.#pending = this.#pending.filter((each) => !due.includes(each));
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
  *#perform({ fault, behaviour }: Striker<PointBehaviour>): Generator<Action, void, void> {
    if (!fault.strike()) return;
    this.#note(fault);
    // If it strikes between bytes, send the lines held back first.
    if (behaviour.strikesInLine) yield* this.#flush();
    yield* behaviour.strike(this.#struckPull(fault));
  }

  /** Reports that a fault has struck. A hold is not reported: nothing goes wrong there. */
  #note({ kind }: ArmedFault): void {
    if (kind !== "hold") this.#options.onStrike(kind);
  }

  /** The pull, as a fault sees it. */
  #struckPull({ at }: ArmedFault): StruckPull {
    return {
      job: this.#options.job,
      blob: this.#blobAt(at?.layer),
      line: (object) => this.#line(object, "within"),
      text: (text) => this.#text(text, "within"),
    };
  }

  /** The lasting faults that act at a stage, by kind. */
  #at<Stage extends LastingStage>(
    stage: Stage,
  ): readonly LastingStrikers<BehavioursByStage[Stage]>[] {
    return this.#lasting.filter((faults) => actAt(faults, stage));
  }

  /** Of several faults of one kind, the first that applies strikes. */
  #striking<Behaviour>(
    faults: LastingStrikers<Behaviour>,
    concerns: (behaviour: Behaviour) => boolean = () => true,
  ): Striker<Behaviour> | undefined {
    return faults.find(({ fault, behaviour }) => concerns(behaviour) && this.#hasStruck(fault));
  }

  #hasStruck(fault: ArmedFault): boolean {
    if (this.#struck.has(fault)) return true;
    const { scope, at, strike } = fault;
    if (scope === "from" && at && !this.#isReached(at)) return false;
    if (!strike()) return false;
    this.#struck.add(fault);
    this.#note(fault);
    return true;
  }

  /** Performs the faults that strike when the server checks the layers. */
  *#checkLayers(): Generator<Action, void, void> {
    for (const faults of this.#at("checksum")) {
      const striker = this.#striking(faults);
      if (striker) yield* striker.behaviour.strike(this.#struckPull(striker.fault));
    }
  }

  /** Sends the lines of an event. */
  *#eventLines(event: JobEvent): Generator<Action, void, void> {
    const steps = this.#changedEvent(event);
    for (const [index, step] of steps.entries()) {
      if ("do" in step) {
        yield* this.#flush();
        yield step;
      } else {
        const isLast = step.phase === "success" && index === steps.length - 1;
        yield* this.#line(step.object, isLast ? "last" : "within");
      }
    }
  }

  /** Applies lasting faults to an event. */
  #changedEvent(event: JobEvent): readonly (JobEvent | Action)[] {
    let steps: readonly (JobEvent | Action)[] = [event];
    for (const faults of this.#at("event")) {
      steps = steps.flatMap((step) => {
        if ("do" in step) return step;
        const striker = this.#striking(faults, (behaviour) => behaviour.concerns(step));
        return striker ? [...striker.behaviour.change(step)] : step;
      });
    }
    return steps;
  }

  *#line(object: StatusObject, place: LinePlace): Generator<Action, void, void> {
    yield* this.#text(stringifyGoJson(this.#changedObject(object)), place);
  }

  /** Applies lasting faults to an object. */
  #changedObject(object: StatusObject): StatusObject {
    let changed = object;
    for (const faults of this.#at("object")) {
      const striker = this.#striking(faults, (behaviour) => behaviour.concerns(object));
      if (striker) changed = striker.behaviour.change(changed);
    }
    return changed;
  }

  /** Sends a line, framed. */
  *#text(text: string, place: LinePlace): Generator<Action, void, void> {
    this.#heldBytes.push(utf8.encode(text + this.#ending(place)));
    this.#linesSent++;
    if (this.#heldBytes.length >= (this.#chunkLimit("lines") ?? 1)) yield* this.#flush();
  }

  #ending(place: LinePlace): string {
    if (place === "cut" || (place === "last" && this.#options.lines === "last")) return "";
    let ending = "\n";
    if (this.#lasting.length === 0) return ending;
    for (const faults of this.#at("ending")) {
      const striker = this.#striking(faults, (behaviour) => behaviour.concerns(place));
      if (striker) ending = striker.behaviour.change(ending);
    }
    return ending;
  }

  /** The lines or bytes per chunk, if a fault sets them. */
  #chunkLimit(unit: "lines" | "bytes"): number | undefined {
    for (const faults of this.#at("chunk")) {
      const striker = this.#striking(faults, (behaviour) => behaviour[unit] !== undefined);
      if (striker) return striker.behaviour[unit];
    }
    return undefined;
  }

  /** Sends the lines held back, as one chunk. */
  *#flush(): Generator<Action, void, void> {
    if (this.#heldBytes.length === 0) return;
    const bytes = concatBytes(this.#heldBytes);
    this.#heldBytes = [];
    yield* this.#bytes(bytes);
  }

  /** Sends bytes, stopping at each point inside them to perform its faults. */
  *#bytes(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    if (this.#pending.length === 0) return yield* this.#send(bytes);
    const start = this.#bytesSent;
    const positionOf = ({ fault }: Striker<PointBehaviour>) => (fault.at?.byte ?? Infinity) - start;
    const due = this.#takePending((striker) =>
      positionOf(striker) < bytes.length && striker.behaviour.strikesInLine === true
    );
    let sent = 0;
    for (const striker of due.toSorted((a, b) => positionOf(a) - positionOf(b))) {
      const end = Math.max(sent, positionOf(striker));
      yield* this.#send(bytes.subarray(sent, end));
      sent = end;
      yield* this.#perform(striker);
    }
    yield* this.#send(bytes.subarray(sent));
  }

  *#send(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    if (bytes.length === 0) return;
    const size = this.#chunkLimit("bytes") ?? bytes.length;
    for (let start = 0; start < bytes.length; start += size) {
      const chunk = bytes.subarray(start, start + size);
      this.#bytesSent += chunk.length;
      yield { do: "send", bytes: chunk };
    }
  }
}

/** Whether faults of one kind act at a stage. */
function actAt<Stage extends LastingStage>(
  faults: LastingStrikers,
  stage: Stage,
): faults is LastingStrikers<BehavioursByStage[Stage]> {
  return faults[0]?.behaviour.stage === stage;
}
