/**
 * A second model, which is partly pulled before the walks and completed much later: some servers forget
 * partial downloads after a longer time than any walk waits.
 *
 * @module
 */

import type { CheckRun } from "../../rule.ts";
import { beginOther, isUnderWay } from "../rules/other_models.ts";
import type { OpenServer } from "../subject.ts";
import { isPartial } from "../transcript.ts";
import { BrokenRule } from "./broken_rule.ts";
import { RULE_OF } from "./model.ts";
import { curlOf } from "./steps.ts";

/** After this many lines about partial layers, the server has something to forget. */
const ENOUGH_LINES = 3;

/** The bytes of a partial layer. */
interface Part {
  readonly digest: string;
  readonly bytes: number;
}

/** A partly pulled model. */
export class LeftModel {
  /** How long its pull took to report a layer, in milliseconds. */
  readonly aloneMs: number;
  readonly #leftAt: number;
  /** The last report about a partial layer, if any. */
  readonly #part: Part | undefined;

  private constructor(aloneMs: number, leftAt: number, part: Part | undefined) {
    this.aloneMs = aloneMs;
    this.#leftAt = leftAt;
    this.#part = part;
  }

  /** Starts to pull the other model, and leaves as soon as a part of it was reported. */
  static async leave(server: OpenServer, run: CheckRun): Promise<LeftModel> {
    const start = server.now();
    const pull = await beginOther(server, run);
    await pull.readUntil(isUnderWay);
    const aloneMs = server.now() - start;
    await pull.readUntil((statuses) => statuses.filter(isPartial).length >= ENOUGH_LINES);
    await pull.leave();
    const { digest, completed } = pull.transcript().statuses.findLast(isPartial) ?? {};
    const part = digest && completed ? { digest, bytes: completed } : undefined;
    return new LeftModel(aloneMs, server.now(), part);
  }

  /** Pulls the rest. Returns the rule that this breaks, if any, or whether it gave evidence. */
  async resume(server: OpenServer, run: CheckRun): Promise<BrokenRule | boolean> {
    if (!this.#part) return false;
    const { digest, bytes } = this.#part;
    const { statuses, exchange } = await (await beginOther(server, run)).readAll();
    const first = statuses.find((each) => each.digest === digest);
    if (!first) return false;
    const { completed = 0, total } = first;
    if (completed >= bytes) return true;
    const expected = `at least the ${bytes} bytes of ${digest} that are on disk`;
    const seen = `${completed} of ${total}`;
    return new BrokenRule(RULE_OF.kept, expected, seen, [exchange]);
  }

  /** The steps, so that a person can repeat them. */
  steps(server: Pick<OpenServer, "model" | "fieldsFor" | "otherModel">, now: number): string[] {
    const pull = curlOf(server, true, server.otherModel?.name);
    return [
      `${pull}   # read until there is a part of a layer, then Ctrl-C`,
      `# wait for ${Math.ceil((now - this.#leftAt) / 1_000)} s`,
      `${pull}   # read to the end`,
    ];
  }
}
