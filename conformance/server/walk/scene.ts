/**
 * What the callers of a walk share.
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

/** The surroundings of a walk. */
export interface Scene {
  readonly subject: ServerSubject;
  /** The server, with the current layers of the model. */
  readonly server: OpenServer;
  readonly run: CheckRun;
  readonly model: HeldModel;
  readonly layout: Layout;
  readonly pace: Pace;
  /** The size of the model in bytes, as far as it is known. */
  readonly totalBytes: number;
  /** Whether `success` means that all layers are on disk, as far as is known. */
  readonly isSuccessTrue: boolean;
  /** The exchanges so far. */
  readonly exchanges: (() => Exchange)[];
  /** The time of the server's clock. */
  readonly now: () => number;
  /** Records evidence for a rule. */
  readonly saw: (rule: string) => void;
  /** Throws if a rule is broken, unless it was already known to be. */
  readonly report: (breach: BrokenRule) => void;
  /** Records the cause for which something is awaited. */
  readonly awaits: (cause: Cause) => void;
}

/** How a server reports layers, learned from the first walk. */
export class Layout {
  readonly #totals = new Map<string, number>();
  /** Whether the lines of several layers alternate. */
  isInterleaved = false;
  /** How long the first pull took, by the clock of the server. */
  #pullMs: number | undefined;

  /** Records that a layer is reported. */
  see(digest: string, total: number | undefined): void {
    if (total !== undefined) this.#totals.set(digest, total);
  }

  /** The reported size of a layer, unless its name may later mean another layer. */
  totalOf(digest: string): number | undefined {
    return digest === DIGEST_OF_ALL_LAYERS ? undefined : this.#totals.get(digest);
  }

  /** Records that a pull has ended. Only the first one counts, because it ran alone. */
  measure({ elapsedMs }: Transcript): void {
    this.#pullMs ??= elapsedMs;
  }

  /** How long a pull takes, by the clock of the server. */
  get pullMs(): number {
    return this.#pullMs ?? 0;
  }

  /** Whether each layer is complete when the next one is reported. Not known before the first pull. */
  get isSequential(): boolean {
    return this.#pullMs !== undefined && !this.isInterleaved;
  }

  /** Whether any download was reported. */
  get hasReports(): boolean {
    return this.#totals.size > 0;
  }

  /** The bytes of all reported layers. */
  get totalBytes(): number {
    return [...this.#totals.values()].reduce((sum, total) => sum + total, 0);
  }
}
