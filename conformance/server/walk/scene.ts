/**
 * What the callers of a walk have in common.
 *
 * @module
 */

import type { Exchange } from "../../exchange.ts";
import type { CheckRun } from "../../rule.ts";
import { DIGEST_OF_ALL_LAYERS } from "../../../src/status.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import type { Transcript } from "../transcript.ts";
import type { BrokenRule } from "./broken_rule.ts";
import type { Cause, HeldModel } from "./model.ts";
import type { Pace } from "./pace.ts";

/** What a walk is made in. */
export interface Scene {
  readonly subject: ServerSubject;
  /** The server, with the layers that the model has now. */
  readonly server: OpenServer;
  readonly run: CheckRun;
  readonly model: HeldModel;
  readonly layout: Layout;
  readonly pace: Pace;
  /** The size of the model in bytes, as far as it is known. */
  readonly totalBytes: number;
  /** Whether all layers are there after a `success`, as far as is known. */
  readonly isSuccessTrue: boolean;
  /** What went over the wire so far. */
  readonly exchanges: (() => Exchange)[];
  /** The time of the server's clock. */
  readonly now: () => number;
  /** Notes that something has shown what a rule is about. */
  readonly saw: (rule: string) => void;
  /** Throws a breach, unless that rule is broken already. */
  readonly report: (breach: BrokenRule) => void;
  /** Notes under which circumstances something is waited for. */
  readonly awaits: (cause: Cause) => void;
}

/** How a server reports layers, which the first walk shows. */
export class Layout {
  readonly #totals = new Map<string, number>();
  /** Whether the lines of several layers alternate. */
  isInterleaved = false;
  /** How long the first pull took, by the clock of the server. */
  #pullMs: number | undefined;

  /** A layer is reported. */
  see(digest: string, total: number | undefined): void {
    if (total !== undefined) this.#totals.set(digest, total);
  }

  /** The bytes of a layer as they were reported, unless its name may stand for others another time. */
  totalOf(digest: string): number | undefined {
    return digest === DIGEST_OF_ALL_LAYERS ? undefined : this.#totals.get(digest);
  }

  /** A pull has ended. Of all, the first one counts, which was alone. */
  measure({ elapsedMs }: Transcript): void {
    this.#pullMs ??= elapsedMs;
  }

  /** How long a pull takes, by the clock of the server. */
  get pullMs(): number {
    return this.#pullMs ?? 0;
  }

  /** Whether each layer is complete when the next one is reported. It is not known before the first pull. */
  get isSequential(): boolean {
    return this.#pullMs !== undefined && !this.isInterleaved;
  }

  /** Whether any download was reported. */
  get hasReports(): boolean {
    return this.#totals.size > 0;
  }

  /** The bytes of all layers that were reported. */
  get totalBytes(): number {
    return [...this.#totals.values()].reduce((sum, total) => sum + total, 0);
  }
}
