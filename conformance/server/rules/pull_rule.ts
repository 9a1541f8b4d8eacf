/**
 * Rules about the stream of a pull, whoever requested it: each makes pulls of its own, and is also checked
 * against all other pulls of a run.
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
 * Which pulls a rule applies to: `begun` means all, even if the caller disconnected; `ended` those that ended
 * without an error; `timed` those that succeeded and whose chunks have known arrival times.
 */
export type Reach = "begun" | "ended" | "timed";

/** What is known besides the stream. */
export interface Circumstances {
  /** The layers of the model, including the config, or none if they are not known. */
  readonly layers: readonly LayerSize[];
  /** Reports that the pull gave evidence for the rule. */
  readonly saw: () => void;
}

/** Throws a `Violation` if the stream breaks a rule, and an `Inconclusive` if it cannot tell. */
export type PullCheck = (transcript: Transcript, circumstances: Circumstances) => void;

/** A rule about the stream of a pull. */
export interface PullRule extends Rule<ServerSubject> {
  /** Which pulls it applies to. */
  readonly reach: Reach;
  /** Checks a pull. */
  readonly checkPull: PullCheck;
}

/** A rule's text and its source. */
export type PullRuleInfo = Pick<
  Rule<ServerSubject>,
  "id" | "level" | "title" | "cites" | "evidence" | "skips"
>;

/** Creates a rule about the stream of a pull. Answers that are not a stream are left to S-SEQ-3. */
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
