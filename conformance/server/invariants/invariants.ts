/**
 * What must hold in every exchange with a server: the rules about pulls and about HTTP.
 *
 * @module
 */

import { Violation } from "../../rule.ts";
import { httpRules } from "../rules/http.ts";
import type { Reach } from "../rules/pull_rule.ts";
import { streamRules } from "../rules/stream.ts";
import { isSingleObject, isSingleSuccess, parseJson } from "../transcript.ts";
import { pullAskedFor, type Seen } from "./seen.ts";

/** A condition that must hold in every exchange it applies to. */
export interface Invariant {
  /** The id of its rule. */
  readonly id: string;
  /**
   * Checks an exchange. Throws a `Violation` if the rule is broken, and an `Inconclusive` if it cannot tell.
   */
  readonly look: (seen: Seen, saw: () => void) => void;
}

/** The longest pause of this process, in milliseconds, after which times of chunks still mean something. */
const MAX_LAG_MS = 100;

/** Whether a rule applies to a pull. */
function isWithin(reach: Reach, seen: Seen): boolean {
  const { transcript, isWhole } = seen;
  const last = transcript.statuses.at(-1)?.kind;
  switch (reach) {
    case "begun":
      return isWhole || transcript.statuses.length > 0;
    case "ended":
      return isWhole && last !== "error";
    case "timed":
      return isWhole && last === "success" && isTimed(seen);
  }
}

/** Whether the arrival times of chunks mean anything. */
function isTimed({ wire, isAlone, lagMs }: Seen): boolean {
  return wire !== undefined && isAlone && lagMs < MAX_LAG_MS;
}

/** Checks of the answer to a pull. Answers that are not a stream are left to S-REQ-1 and S-REQ-2. */
const pullInvariants = streamRules.map(({ id, reach, checkPull }): Invariant => ({
  id,
  look(seen, saw) {
    const asked = pullAskedFor(seen);
    const { transcript } = seen;
    if (!asked?.isStreamed || transcript.status !== 200 || isSingleObject(transcript)) return;
    if (seen.fields.has("Content-Encoding")) return; // left to S-HTTP-2 and S-REQ-9
    if (!isWithin(reach, seen)) return;
    checkPull(transcript, { layers: asked.model === seen.model ? seen.layers : [], saw });
  },
}));

/** Checks of the end of a pull without a stream, or of one that fails. */
const endInvariants: readonly Invariant[] = [
  {
    id: "S-REQ-3",
    look(seen, saw) {
      const { transcript, isWhole } = seen;
      if (pullAskedFor(seen)?.isStreamed !== false || !isWhole) return;
      if (transcript.status !== 200) return;
      saw();
      if (isSingleSuccess(transcript.text)) return;
      if (Object(parseJson(transcript.text)).error !== undefined) return; // left to S-ERR-7
      const shown = JSON.stringify(transcript.text);
      throw new Violation('{"status":"success"} alone', shown, [transcript.exchange]);
    },
  },
  {
    id: "S-ERR-9",
    look(seen, saw) {
      const { statuses, status, exchange } = seen.transcript;
      if (!pullAskedFor(seen)?.isStreamed || status !== 200) return;
      const failedAt = statuses.findIndex(({ kind }) => kind === "error");
      if (failedAt === -1) return;
      saw();
      if (failedAt === statuses.length - 1) return;
      const next = statuses[failedAt + 1]!;
      throw new Violation("nothing after the error", JSON.stringify(next.status), [exchange]);
    },
  },
];

/** The invariants. */
export const invariants: readonly Invariant[] = [
  ...pullInvariants,
  ...endInvariants,
  ...httpRules.map(({ id, look }) => ({ id, look })),
];

/** The ids of the rules that the invariants test. */
export const watchedRules: ReadonlySet<string> = new Set(invariants.map(({ id }) => id));
