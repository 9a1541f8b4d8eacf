/**
 * Clients that are wrong in one state of a pull.
 *
 * @module
 */

import type { ClientRun } from "../../../client/subject.ts";
import { ConnectionLost, FINAL_STATUSES, pullWith, RIGHT_PARTS } from "./right_client.ts";
import { type StrangerClient, strangerOf, withStatuses } from "./specimen.ts";

/** Pulls again if the connection breaks, and only waits for the outcome. */
async function pullAgainForOutcome(run: ClientRun): Promise<void> {
  try {
    await pullWith()(run);
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
    await pullWith({ body: (model) => ({ model, stream: false }) })(run);
  }
}

/** Clients that are wrong in one state of a pull. */
export const stateClients: readonly StrangerClient[] = [
  withStatuses({
    name: 'takes the end for success after "writing manifest"',
    breaks: "C-END-1: a stream that ends without `success` is a failure",
    how: "The disk fills up while the manifest is written, or a proxy hangs up right then.",
    difficulty: "middling",
  }, {
    atEnd(lastStatus) {
      if (lastStatus !== "writing manifest") RIGHT_PARTS.atEnd(lastStatus);
    },
  }),

  withStatuses({
    name: "passes over an error once the final phases have begun",
    breaks: "C-ERR-1: an error line is a failure, with its message",
    how: "A digest does not match: the user reads that the pull ended, and nothing of the digest.",
    difficulty: "hard",
  }, {
    judge(object, context) {
      if (!FINAL_STATUSES.includes(context.statusBefore)) RIGHT_PARTS.judge(object, context);
    },
  }),

  withStatuses({
    name: "waits for the end of the answer after success",
    breaks: "`success` is the last object: what becomes of the connection then does not matter",
    how: "A proxy resets the connection after the last line, or keeps it open: a pull that " +
      "succeeded is called a failure.",
    difficulty: "hard",
  }, {
    async afterSuccess(lines) {
      for await (const _ of lines) { /* nothing more is expected */ }
    },
  }),

  strangerOf({
    name: "asks for a single object when it pulls again",
    breaks: "C-REQ-3: a client that reports updates does not ask for a single object",
    how:
      "The connection breaks once, the client asks again, and from there on the bar stands still " +
      "until the end, or until a proxy hangs up because nothing is said.",
    difficulty: "hard",
  }, pullAgainForOutcome),
];
