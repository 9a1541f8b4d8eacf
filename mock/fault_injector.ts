/**
 * Turns what a pull reports into what is sent, with faults where they are asked for.
 *
 *     JobEvent ── points, phases ──▶ objects ── fields ──▶ lines ── framing ──▶ bytes ── Action
 *
 * @module
 */

import {
  type ArmedFault,
  bytesOf,
  type FaultKind,
  faultKinds,
  type FaultPoint,
  findLayer,
} from "./faults.ts";
import type { Blob, Model } from "./models.ts";
import type { JobEvent, PullJob, StatusObject } from "./pull_job.ts";

/** Something to do with the response. */
export type Action =
  | { readonly do: "send"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly do: "wait"; readonly ms: number }
  /** Reports an error as the last thing, which a fault has brought about, or the request itself. */
  | { readonly do: "fail"; readonly message: string; readonly byFault: boolean }
  /** Ends the body as if it were complete. */
  | { readonly do: "end" }
  /** Breaks the connection. */
  | { readonly do: "reset" };

/** The faults that can strike inside a line; the others wait for its end. */
const STRIKES_IN_A_LINE: ReadonlySet<FaultKind> = new Set(["cut", "reset", "stall"]);

const utf8 = new TextEncoder();

/** What one pull sends. */
export class FaultInjector {
  readonly #job: PullJob;
  readonly #model: Model | undefined;
  readonly #onStrike: (kind: FaultKind) => void;
  /** The faults that strike once, and have not yet. */
  #pending: ArmedFault[];
  /** The faults on fields, framing and phases. */
  readonly #lasting: ReadonlyMap<FaultKind, ArmedFault>;
  readonly #begun = new Set<FaultKind>();
  #linesSent = 0;
  #bytesSent = 0;
  /** Lines between the download and `success`, while they are held back. */
  #heldEvents: JobEvent[] = [];
  /** Lines that are to share a chunk. */
  #heldBytes: Uint8Array<ArrayBuffer>[] = [];
  #dips = false;

  constructor(
    faults: readonly ArmedFault[],
    job: PullJob,
    model: Model | undefined,
    onStrike: (kind: FaultKind) => void,
  ) {
    this.#job = job;
    this.#model = model;
    this.#onStrike = onStrike;
    const strikesOnce = ({ kind }: ArmedFault) => faultKinds[kind].at === "point";
    this.#pending = faults.filter(strikesOnce);
    this.#lasting = new Map(
      faults.filter((fault) => !strikesOnce(fault)).map((fault) => [fault.kind, fault]),
    );
  }

  /** What follows from something that the pull reports. */
  *event(event: JobEvent): Generator<Action, void, void> {
    if (this.#pending.length > 0) yield* this.#strike();
    if (event.phase === "writing") yield* this.#failChecksum();
    if (event.phase === "success") yield* this.#releaseHeld();
    if (event.phase === "success" && this.#isOn("no-success")) {
      yield* this.#flush();
      return yield { do: "end" };
    }
    if (isFinalPhase(event) && this.#isOn("out-of-order")) return void this.#heldEvents.push(event);
    yield* this.#eventLines(event);
    if (event.phase === "success") yield* this.#flush();
  }

  /** A line that tells of a failure, as the last one. */
  *errorLine(message: string): Generator<Action, void, void> {
    yield* this.#line({ error: message });
    yield* this.#flush();
  }

  *#eventLines(event: JobEvent): Generator<Action, void, void> {
    yield* this.#line(event.object);
    if (event.phase !== "downloading" && this.#isOn("duplicate-phase")) {
      yield* this.#line(event.object);
    }
  }

  *#releaseHeld(): Generator<Action, void, void> {
    for (const event of this.#heldEvents.reverse()) yield* this.#eventLines(event);
    this.#heldEvents = [];
  }

  *#failChecksum(): Generator<Action, void, void> {
    const fault = this.#lasting.get("digest-mismatch");
    if (!fault) return;
    const blob = this.#blobAt(fault.at?.layer ?? 0);
    if (!blob || !this.#isOn("digest-mismatch")) return;
    this.#job.drop(blob);
    const got = `sha256:${[...blob.digest.slice("sha256:".length)].reverse().join("")}`;
    const message =
      `digest mismatch, file must be downloaded again: want ${blob.digest}, got ${got}`;
    yield { do: "fail", message, byFault: true };
  }

  /** Lets the faults strike whose point has come, before the next line. */
  *#strike(): Generator<Action, void, void> {
    for (const fault of this.#takePending((at) => this.#isReached(at))) {
      this.#onStrike(fault.kind);
      yield* this.#perform(fault);
    }
  }

  #takePending(isDue: (at: FaultPoint, fault: ArmedFault) => boolean): readonly ArmedFault[] {
    const due = this.#pending.filter((fault) => isDue(fault.at ?? {}, fault));
    if (due.length > 0) this.#pending = this.#pending.filter((fault) => !due.includes(fault));
    return due;
  }

  #isReached({ line, byte, completed, layer }: FaultPoint): boolean {
    if (line !== undefined) return this.#linesSent + 1 >= line;
    if (byte !== undefined) return this.#bytesSent >= byte;
    const blob = this.#blobAt(layer);
    // A layer has begun with its first byte.
    if (blob) return this.#job.completedOf(blob) >= bytesOf(completed ?? 1, blob.size);
    return this.#job.completed >= bytesOf(completed ?? 0, this.#job.total);
  }

  #blobAt(layer: number | string | undefined): Blob | undefined {
    return layer === undefined || !this.#model ? undefined : findLayer(this.#model, layer);
  }

  *#perform({ kind, parameters, at }: ArmedFault): Generator<Action, void, void> {
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
        return yield { do: "wait", ms: Number(parameters.ms) };
      case "rollback":
        return this.#job.rollBack(this.#blobAt(at?.layer), Number(parameters.bytes));
      case "malformed":
        return yield* this.#text(String(parameters.text));
      case "unknown-status":
        return yield* this.#line({ status: parameters.status as string });
      case "early-success":
        return yield* this.#line({ status: "success" });
    }
  }

  /** Whether a lasting fault is there and its point has come. */
  #isOn(kind: FaultKind): boolean {
    const fault = this.#lasting.get(kind);
    if (!fault) return false;
    if (this.#begun.has(kind)) return true;
    if (faultKinds[kind].at === "from" && fault.at && !this.#isReached(fault.at)) return false;
    this.#begun.add(kind);
    this.#onStrike(kind);
    return true;
  }

  #parameter(kind: FaultKind, name: string): string | number {
    return this.#lasting.get(kind)?.parameters[name] ?? 0;
  }

  *#line(object: StatusObject): Generator<Action, void, void> {
    yield* this.#text(JSON.stringify(this.#lasting.size > 0 ? this.#spoil(object) : object));
  }

  /** Changes the fields of an object. */
  #spoil(object: StatusObject): StatusObject {
    const spoilt = { ...object };
    const { total, completed } = object;
    if (completed !== undefined && this.#isOn("completed-falls")) {
      this.#dips = !this.#dips;
      const less = completed - Number(this.#parameter("completed-falls", "bytes"));
      if (!this.#dips) spoilt.completed = Math.max(0, less);
    }
    if (total !== undefined && this.#isOn("completed-over-total")) {
      spoilt.completed = total + Number(this.#parameter("completed-over-total", "bytes"));
    }
    if (completed !== undefined && this.#isOn("completed-absent")) delete spoilt.completed;
    if (this.#isOn("unknown-fields")) {
      spoilt[String(this.#parameter("unknown-fields", "field"))] = { nested: ["…", null, 1.5] };
    }
    return spoilt;
  }

  /** Sends a line, framed. */
  *#text(text: string): Generator<Action, void, void> {
    const newline = this.#isOn("crlf") ? "\r\n" : "\n";
    let framed = `${text}${newline}${this.#isOn("blank-lines") ? newline : ""}`;
    if (this.#isOn("no-final-newline")) framed = `${this.#linesSent > 0 ? newline : ""}${text}`;
    this.#linesSent++;
    const bytes = utf8.encode(framed);
    if (!this.#isOn("coalesce")) return yield* this.#bytes(bytes);
    this.#heldBytes.push(bytes);
    if (this.#heldBytes.length >= Number(this.#parameter("coalesce", "lines"))) {
      yield* this.#flush();
    }
  }

  *#flush(): Generator<Action, void, void> {
    if (this.#heldBytes.length === 0) return;
    const bytes = concat(this.#heldBytes);
    this.#heldBytes = [];
    yield* this.#bytes(bytes);
  }

  /** Sends bytes, up to the faults that strike among them, and then the rest. */
  *#bytes(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    const start = this.#bytesSent;
    const within = ({ byte }: FaultPoint, { kind }: ArmedFault) =>
      byte !== undefined && byte < start + bytes.length && STRIKES_IN_A_LINE.has(kind);
    const due = this.#pending.length === 0 ? [] : this.#takePending(within);
    let sent = 0;
    for (const fault of due.toSorted((a, b) => (a.at?.byte ?? 0) - (b.at?.byte ?? 0))) {
      const end = (fault.at?.byte ?? start) - start;
      yield* this.#send(bytes.subarray(sent, end));
      sent = end;
      this.#onStrike(fault.kind);
      yield* this.#perform(fault);
    }
    yield* this.#send(bytes.subarray(sent));
  }

  *#send(bytes: Uint8Array<ArrayBuffer>): Generator<Action, void, void> {
    if (bytes.length === 0) return;
    const size = this.#isOn("split")
      ? Math.max(1, Number(this.#parameter("split", "bytes")))
      : bytes.length;
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

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((total, { length }) => total + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
