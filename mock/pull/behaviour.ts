/**
 * What a kind of fault does to a pull, and at which stage of what the pull sends.
 *
 *     JobEvent ── point, checksum, event ──▶ objects ── object ──▶ lines ── ending, chunk ──▶ bytes
 *
 * `behaviours.ts` has the behaviour of each kind; {@link FaultInjector} has them act, each at its stage.
 *
 * @module
 */

import type { Action } from "../exchange/actions.ts";
import type { Blob } from "../models/models.ts";
import type { JobEvent, PullJob, StatusObject } from "./job.ts";

/** What faults do with the downloads of a pull. */
export type StruckJob = Pick<
  PullJob,
  "drop" | "freeze" | "goOn" | "pass" | "rollBack" | "standStill"
>;

/** The pull that a fault strikes. */
export interface StruckPull {
  readonly job: StruckJob;
  /** The layer at which the fault strikes, if it names one. */
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
   * Without what it has to wait: for a pull that sends `lines`, since it is one, or for a `download` that
   * is under way, since it strikes that.
   */
  readonly needs?: "lines" | "download";
  /**
   * Whether it can strike inside a line, after all that was to be sent before. Others wait for the end of
   * the line.
   */
  readonly strikesInLine?: boolean;
  strike(pull: StruckPull): Iterable<Action>;
}

/** Strikes when the server checks the layers. */
export interface ChecksumBehaviour {
  readonly stage: "checksum";
  strike(pull: StruckPull): Iterable<Action>;
}

/** Puts other events, or actions, in place of an event. */
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

/** The place of a line: before others, at the end, or at the end without a newline. */
export type LinePlace = "within" | "last" | "cut";

/** Changes the newline of a line. */
export interface EndingBehaviour {
  readonly stage: "ending";
  concerns(place: LinePlace): boolean;
  change(ending: string): string;
}

/** Changes how many lines or bytes come in one chunk. */
export interface ChunkBehaviour {
  readonly stage: "chunk";
  /** How many lines share a chunk. @default {1} */
  readonly lines?: number;
  /** How many bytes a chunk has at most. @default {Infinity} */
  readonly bytes?: number;
}

/** What a fault that lasts does, by the stage at which it does it. */
export interface BehavioursByStage {
  readonly checksum: ChecksumBehaviour;
  readonly event: EventBehaviour;
  readonly object: ObjectBehaviour;
  readonly ending: EndingBehaviour;
  readonly chunk: ChunkBehaviour;
}

/** A stage at which faults act that last. */
export type LastingStage = keyof BehavioursByStage;

/** What a fault that lasts does. */
export type LastingBehaviour = BehavioursByStage[LastingStage];

/** The behaviours that fit where a kind strikes, as its entry in {@link faultKinds} says. */
export interface BehavioursByScope {
  readonly point: PointBehaviour;
  readonly layer: ChecksumBehaviour;
  readonly from: ObjectBehaviour;
  readonly whole: EventBehaviour | EndingBehaviour | ChunkBehaviour;
}
