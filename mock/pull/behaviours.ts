/**
 * What each kind of fault does to a pull. Each kind has one function, which gets its parameters and returns
 * its behaviour in one pull. State that a kind keeps during the pull lives in that function.
 *
 * @module
 */

import type { ArmedFault, StrikeKind, StrikeParameters } from "../faults/faults.ts";
import type { EarlyKind, faultKinds } from "../faults/kinds.ts";
import { seededDigest } from "../runtime/random.ts";
import type { BehavioursByScope, LastingBehaviour, PointBehaviour } from "./behaviour.ts";
import type { JobEvent, JobPhase } from "./job.ts";

/** The kinds that strike once the answer has begun. */
type PullKind = Exclude<StrikeKind, EarlyKind>;

type BehaviourOf<Kind extends PullKind> = Kind extends keyof typeof faultKinds
  ? BehavioursByScope[typeof faultKinds[Kind]["at"]]
  : PointBehaviour;

/** Fails the pull with an error. */
const failWith = ({ message }: { readonly message: string }): PointBehaviour => ({
  stage: "point",
  strike: () => [{ do: "fail", message, byFault: true }],
});

/** The phases between the download and `success`. */
const FINAL_PHASES: ReadonlySet<JobPhase> = new Set(["verifying", "writing", "removing"]);

/** The behaviours. If several kinds act at one stage, they do so in this order. */
const behaviours: {
  readonly [Kind in PullKind]: (parameters: StrikeParameters<Kind>) => BehaviourOf<Kind>;
} = {
  "error": failWith,
  "disk-full": failWith,
  "cut": () => ({
    stage: "point",
    strikesInLine: true,
    strike: () => [{ do: "end" }],
  }),
  "reset": () => ({
    stage: "point",
    strikesInLine: true,
    strike: () => [{ do: "reset" }],
  }),
  "stall": ({ ms }) => ({
    stage: "point",
    strikesInLine: true,
    *strike({ job }) {
      job.goOn(); // only this caller's stream stalls
      yield { do: "wait", ms };
      job.pass(ms);
    },
  }),
  "hold": ({ hold }) => ({
    stage: "point",
    strikesInLine: true,
    *strike({ job }) {
      const goOn = job.standStill();
      try {
        yield { do: "wait", hold };
      } finally {
        goOn();
      }
    },
  }),
  "freeze": ({ ms }) => ({
    stage: "point",
    needs: "download",
    strike({ job, blob }) {
      job.freeze(blob, ms);
      return [];
    },
  }),
  "rollback": ({ bytes }) => ({
    stage: "point",
    needs: "download",
    strike({ job, blob }) {
      job.rollBack(blob, bytes);
      return [];
    },
  }),
  "malformed": ({ text }) => ({
    stage: "point",
    needs: "lines",
    strike: (pull) => pull.text(text),
  }),
  "unknown-status": ({ status }) => ({
    stage: "point",
    needs: "lines",
    strike: (pull) => pull.line({ status }),
  }),
  "early-success": () => ({
    stage: "point",
    needs: "lines",
    strike: (pull) => pull.line({ status: "success" }),
  }),

  "digest-mismatch": () => ({
    stage: "checksum",
    strike({ job, blob }) {
      if (!blob) return [];
      job.drop(blob);
      const digests = `want ${blob.digest}, got ${seededDigest(blob.digest)}`;
      const message = `digest mismatch, file must be downloaded again: ${digests}`;
      return [{ do: "fail", message, byFault: true }];
    },
  }),

  "out-of-order": () => {
    const held: JobEvent[] = [];
    return {
      stage: "event",
      concerns: ({ phase }) => FINAL_PHASES.has(phase) || (phase === "success" && held.length > 0),
      change(event) {
        if (event.phase === "success") return [...held.splice(0).reverse(), event];
        held.push(event);
        return [];
      },
    };
  },
  "no-success": () => ({
    stage: "event",
    concerns: ({ phase }) => phase === "success",
    change: () => [{ do: "end" }],
  }),
  "removing-fails": ({ message }) => ({
    stage: "event",
    concerns: ({ phase }) => phase === "removing",
    change: (event) => [
      event,
      { ...event, object: { status: `couldn't remove unused layers: ${message}` } },
    ],
  }),
  "duplicate-phase": () => ({
    stage: "event",
    concerns: ({ phase }) => phase !== "downloading",
    change: (event) => [event, event],
  }),

  "completed-falls": ({ bytes }) => {
    /** The `completed` last reported for each layer, unless that one was already lowered. */
    const lastCompleted = new Map<string | undefined, number>();
    return {
      stage: "object",
      concerns: ({ completed }) => completed !== undefined,
      change(object) {
        const { digest, completed } = object;
        const last = lastCompleted.get(digest);
        if (last !== undefined) {
          lastCompleted.delete(digest);
          return { ...object, completed: Math.max(0, last - bytes) };
        }
        if (completed !== undefined) lastCompleted.set(digest, completed);
        return object;
      },
    };
  },
  "completed-over-total": ({ bytes }) => ({
    stage: "object",
    concerns: ({ total }) => total !== undefined,
    change: (object) => ({ ...object, completed: (object.total ?? 0) + bytes }),
  }),
  "completed-absent": () => ({
    stage: "object",
    concerns: ({ completed }) => completed !== undefined,
    change: ({ completed: _, ...others }) => others,
  }),
  "unknown-fields": ({ field }) => ({
    stage: "object",
    concerns: () => true,
    // Not by assignment, since the field may be `__proto__`.
    change: (object) =>
      Object.fromEntries([...Object.entries(object), [field, { nested: ["…", null, 1.5] }]]),
  }),

  "crlf": () => ({
    stage: "ending",
    concerns: () => true,
    change: () => "\r\n",
  }),
  "blank-lines": () => ({
    stage: "ending",
    concerns: () => true,
    change: (ending) => ending + ending,
  }),
  "no-final-newline": () => ({
    stage: "ending",
    concerns: (place) => place === "last",
    change: () => "",
  }),

  "coalesce": ({ lines }) => ({ stage: "chunk", lines }),
  "split": ({ bytes }) => ({ stage: "chunk", bytes }),
};

const KINDS = Object.keys(behaviours);

/** A fault and its behaviour. */
export interface Striker<Behaviour> {
  readonly fault: ArmedFault;
  readonly behaviour: Behaviour;
}

/** Lasting faults of one kind. */
export type LastingStrikers<Behaviour = LastingBehaviour> = readonly Striker<Behaviour>[];

/** The faults that strike a pull once the answer has begun. */
export interface Strikers {
  /** Faults at a point, in the order in which they were given. */
  readonly atPoints: readonly Striker<PointBehaviour>[];
  /** Lasting faults by kind, in the order in which the kinds act. */
  readonly lasting: readonly LastingStrikers[];
}

/** Creates the behaviours of faults. */
export function strikersOf(faults: readonly ArmedFault[]): Strikers {
  const atPoints: Striker<PointBehaviour>[] = [];
  const lasting = KINDS.map((): Striker<LastingBehaviour>[] => []);
  for (const fault of faults) {
    const behaviour = behaviourOf(fault);
    if (behaviour?.stage === "point") atPoints.push({ fault, behaviour });
    else if (behaviour) lasting[KINDS.indexOf(fault.kind)]!.push({ fault, behaviour });
  }
  return { atPoints, lasting: lasting.filter(({ length }) => length > 0) };
}

function behaviourOf({ kind, parameters }: ArmedFault) {
  if (!Object.hasOwn(behaviours, kind)) return undefined; // it strikes before the answer begins
  // `armFault` has checked that these are the parameters of the kind.
  const begin = behaviours[kind as PullKind] as (
    parameters: unknown,
  ) => PointBehaviour | LastingBehaviour;
  return begin(parameters);
}
