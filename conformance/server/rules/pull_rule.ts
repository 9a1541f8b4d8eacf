/**
 * Rules about what is sent for a pull, whoever asked for it: each makes pulls of its own, and is held
 * against all other pulls of a run as well.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import { blaming } from "../../blame.ts";
import { type CheckRun, Inconclusive, type Rule, rule } from "../../rule.ts";
import { type SetupInputs, setups, withServer } from "../server_states.ts";
import type { ServerSetup, ServerSubject } from "../subject.ts";
import { isSingleObject, pullAll, type Transcript } from "../transcript.ts";

/**
 * Of which pulls a rule tells: of all, even if their caller left; of those that have ended without an
 * error; of those that succeeded, and of which is known when each chunk arrived.
 */
export type Reach = "begun" | "ended" | "timed";

/** What is known besides what was sent. */
export interface Circumstances {
  /** The layers of the model, config included, or none if they are not known. */
  readonly layers: readonly LayerSize[];
  /** Says that the pull has shown what the rule is about. */
  readonly saw: () => void;
}

/** Throws a `Violation` if what was sent breaks a rule, and an `Inconclusive` if it cannot tell. */
export type PullCheck = (transcript: Transcript, circumstances: Circumstances) => void;

/** A rule about what is sent for a pull. */
export interface PullRule extends Rule<ServerSubject> {
  /** Of which pulls it tells. */
  readonly reach: Reach;
  /** Holds it against one. */
  readonly checkPull: PullCheck;
}

/** What a rule says, and where that comes from. */
export type PullRuleInfo = Pick<
  Rule<ServerSubject>,
  "id" | "level" | "title" | "cites" | "evidence" | "skips"
>;

/** A rule about what is sent for a pull. What is sent in place of a pull, S-SEQ-3 tells alone. */
export function pullRule(
  info: PullRuleInfo,
  reach: Reach,
  check: PullCheck,
  { decisive, inputs }: SetupInputs = { decisive: [], inputs: setups() },
): PullRule {
  const checkPull: PullCheck = (transcript, circumstances) => {
    if (info.evidence === undefined) circumstances.saw();
    check(transcript, circumstances);
  };
  const made = rule<ServerSubject, ServerSetup>({
    evidence: "a stream of objects",
    ...info,
    side: "server",
    decisive,
    inputs,
    check: (subject, setup, run: CheckRun) =>
      withServer(subject, setup, async (server) => {
        const transcript = await pullAll(server, run);
        if (transcript.status >= 400 && info.id !== "S-SEQ-3") {
          throw new Inconclusive(`The pull was answered with HTTP ${transcript.status}`);
        }
        const isSingle = isSingleObject(transcript);
        const circumstances = { layers: server.layers ?? [], saw: run.saw };
        await blaming("S-REQ-2", () => isSingle, () => checkPull(transcript, circumstances));
      }),
  });
  return { ...made, reach, checkPull };
}
