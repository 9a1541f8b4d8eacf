/**
 * What a kind of fault does to a pull, and at which stage of the stream.
 *
 *     JobEvent ── point, checksum, event ──▶ objects ── object ──▶ lines ── ending, chunk ──▶ bytes
 *
 * `behaviours.ts` has the behaviour of each kind; {@link FaultInjector} applies each one at its stage.
 *
 * @module
 */

import type { Action } from "../exchange/actions.ts";
import type { Blob } from "../models/models.ts";
import type { JobEvent, PullJob, StatusObject } from "./job.ts";

/** What faults can do to the downloads of a pull. */
export type StruckJob = Pick<
  PullJob,
  "drop" | "freeze" | "goOn" | "pass" | "rollBack" | "standStill"
>;

/** The pull that a fault strikes. */
export interface StruckPull {
  readonly job: StruckJob;
  /** The layer that the fault names, if any. */
  readonly blob: Blob | undefined;
  /** Sends an object as a line. */
  line(object: StatusObject): Iterable<Action>;
  /** Sends a text as a line. */
  text(text: string): Iterable<Action>;
}

/** Strikes once, at a point of the pull. */
export interface PointBehaviour {
  readonly stage: "point";
  /**
   * What it waits for: until `lines` are sent, because it sends one, or until a `download` is under way,
   * because it acts on that.
   */
  readonly needs?: "lines" | "download";
  /**
   * Whether it can strike inside a line, after everything sent so far. Other faults wait for the end of the
   * line.
   */
  readonly strikesInLine?: boolean;
  strike(pull: StruckPull): Iterable<Action>;
}

/** Strikes when the server checks the layers. */
export interface ChecksumBehaviour {
  readonly stage: "checksum";
  strike(pull: StruckPull): Iterable<Action>;
}

/** Replaces an event with other events or actions. */
export interface EventBehaviour {
  readonly stage: "event";
  concerns(event: JobEvent): boolean;
  change(event: JobEvent): Iterable<JobEvent | Action>;
}

/** Changes the object of a line. */
export interface ObjectBehaviour {
  readonly stage: "object";
  /** Whether it changes an object, as the server sends it. */
  concerns(object: StatusObject): boolean;
  change(object: StatusObject): StatusObject;
}

/** Where a line is: followed by others, last, or last without a newline. */
export type LinePlace = "within" | "last" | "cut";

/** Changes the newline of a line. */
export interface EndingBehaviour {
  readonly stage: "ending";
  concerns(place: LinePlace): boolean;
  change(ending: string): string;
}

/** Changes how many lines or bytes one chunk contains. */
export interface ChunkBehaviour {
  readonly stage: "chunk";
  /** How many lines share a chunk. @default {1} */
  readonly lines?: number;
  /** The most bytes per chunk. @default {Infinity} */
  readonly bytes?: number;
}

/** Lasting faults, by the stage at which they act. */
export interface BehavioursByStage {
  readonly checksum: ChecksumBehaviour;
  readonly event: EventBehaviour;
  readonly object: ObjectBehaviour;
  readonly ending: EndingBehaviour;
  readonly chunk: ChunkBehaviour;
}

/** A stage at which lasting faults act. */
export type LastingStage = keyof BehavioursByStage;

/** The behaviour of a lasting fault. */
export type LastingBehaviour = BehavioursByStage[LastingStage];

/** The behaviours that fit the `at` of a kind's entry in {@link faultKinds}. */
export interface BehavioursByScope {
  readonly point: PointBehaviour;
  readonly layer: ChecksumBehaviour;
  readonly from: ObjectBehaviour;
  readonly whole: EventBehaviour | EndingBehaviour | ChunkBehaviour;
}
