/**
 * Another model, which is left in part before the walks and pulled much later: some servers forget what they
 * keep after a time for which no walk waits.
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

/** After so many lines about layers in part, there is something to be forgotten. */
const ENOUGH_LINES = 3;

/** The bytes of a layer in part. */
interface Part {
  readonly digest: string;
  readonly bytes: number;
}

/** A model that was left in part. */
export class LeftModel {
  /** How long its pull took until it told of a layer, in milliseconds. */
  readonly aloneMs: number;
  readonly #leftAt: number;
  /** What was told last of a layer in part, if there was one. */
  readonly #part: Part | undefined;

  private constructor(aloneMs: number, leftAt: number, part: Part | undefined) {
    this.aloneMs = aloneMs;
    this.#leftAt = leftAt;
    this.#part = part;
  }

  /** Begins to pull the other model, and leaves it in part, if there is a part of it to be seen. */
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

  /** Pulls the rest of it. Returns what rule that breaks, or whether anything was seen of it. */
  async resume(server: OpenServer, run: CheckRun): Promise<BrokenRule | boolean> {
    if (!this.#part) return false;
    const { digest, bytes } = this.#part;
    const { statuses, exchange } = await (await beginOther(server, run)).readAll();
    const first = statuses.find((each) => each.digest === digest);
    if (!first) return false;
    const { completed = 0, total } = first;
    if (completed >= bytes) return true;
    const expected = `at least the ${bytes} bytes of ${digest} that are there`;
    const seen = `${completed} of ${total}`;
    return new BrokenRule(RULE_OF.kept, expected, seen, [exchange]);
  }

  /** What was done, so that a person can repeat it. */
  steps(server: Pick<OpenServer, "model" | "fieldsFor" | "otherModel">, now: number): string[] {
    const pull = curlOf(server, true, server.otherModel?.name);
    return [
      `${pull}   # read until there is a part of a layer, then Ctrl-C`,
      `# wait for ${Math.ceil((now - this.#leftAt) / 1_000)} s`,
      `${pull}   # read to the end`,
    ];
  }
}
