/**
 * The rule about simultaneous pulls of different models.
 *
 *     the other model alone ── how long until it reports a layer
 *     the model ────────────────────────────────▶ success
 *         └── the other model ──▶ a layer, before that
 *
 * @module
 */

import type { PullStatus } from "../../../mod.ts";
import { type CheckRun, Inconclusive, type Rule, rule, Violation } from "../../rule.ts";
import { requireSuccess } from "../plain_pull.ts";
import { longSetups, withServer } from "../server_states.ts";
import { type OpenServer, type ServerSetup, type ServerSubject, unlessHas } from "../subject.ts";
import { type ActivePull, ask, beginPull, isPartial, pullBody } from "../transcript.ts";

/** The rule's id. */
export const OTHER_RULE = "S-OTHER-1";

/** How much longer a pull of another model may wait, in milliseconds, because a machine may be busy. */
const MAX_WAIT_MS = 400;

/** How many times longer than alone it may take to report a layer, because two pulls share a network. */
const SLOWER = 3;

/** The longest time until the pull of another model reports a layer, from the time it takes alone. */
export function longestWait(aloneMs: number): number {
  return MAX_WAIT_MS + SLOWER * aloneMs;
}

/** Whether a pull is running, and not waiting for its turn. */
export function isUnderWay(statuses: readonly PullStatus[]): boolean {
  return statuses.some(({ kind, completed }) => completed !== undefined || kind === "success");
}

/** Starts to pull the other model. */
export async function beginOther(server: OpenServer, run: CheckRun): Promise<ActivePull> {
  const body = pullBody(server, { stream: true }, server.otherModel?.name);
  return await ask(server, { body }, run);
}

/** Starts to pull the other model, and reads until that is under way. */
export async function seeUnderWay(server: OpenServer, run: CheckRun): Promise<ActivePull> {
  const pull = await beginOther(server, run);
  await pull.readUntil(isUnderWay);
  return pull;
}

/** The violation if the pull of another model waited until the first one had ended. */
export const WAITED = {
  expected: "the pull of another model to report its layers while the first one is running",
  seen: "nothing until the first one had ended",
} as const;

/** The rules. */
export const otherModelRules: readonly Rule<ServerSubject>[] = [
  rule<ServerSubject, ServerSetup>({
    id: OTHER_RULE,
    side: "server",
    level: "should",
    title: "A pull of another model neither waits for running pulls nor affects them",
    cites: "observed: downloads are shared by digest; those that are not shared are independent",
    evidence: "a pull of another model during a longer pull",
    skips: unlessHas("fresh", "other"),
    maxRuns: 10,
    ...longSetups(),
    check: (subject, setup, run) =>
      withServer(subject, setup, async (server) => {
        if (!server.otherModel) throw new Inconclusive("No other model is known");
        const start = server.now();
        const alone = await beginOther(server, run);
        await alone.readUntil(isUnderWay);
        const mostMs = longestWait(server.now() - start);
        if ((await alone.readAll()).statuses.at(-1)?.kind !== "success") {
          throw new Inconclusive("The pull of the other model fails even when it runs alone");
        }
        const pulling = await beginPull(server, run);
        await pulling.readUntil((statuses) => statuses.some(isPartial));
        const begunAt = server.now();
        let isBegun = false;
        const begun = seeUnderWay(server, run).finally(() => isBegun = true);
        begun.catch(() => {}); // handled below
        await pulling.readUntil(() => isBegun);
        const waitedMs = server.now() - begunAt;
        const hasWaited = !isBegun;
        const other = await begun;
        const [first, second] = await Promise.all([pulling.readAll(), other.readAll()]);
        await requireSuccess(subject, first, run);
        await requireSuccess(subject, second, run);
        if (hasWaited && waitedMs < mostMs) {
          throw new Inconclusive("The first pull ended too soon to see whether the other waits");
        }
        run.saw();
        if (hasWaited) throw new Violation(WAITED.expected, WAITED.seen, [second.exchange]);
      }),
  }),
];
