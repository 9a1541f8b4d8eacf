/**
 * Shows the run of a suite: on standard error a line that is redrawn (on a terminal) or an occasional new
 * line (otherwise), and on standard output each result as it is found, if requested.
 *
 *     ✓ must     C-REQ-1   A pull is a POST to /api/pull
 *     ✗ must     C-REQ-2   The body is JSON and names the model
 *     ⠹ 3/46, 1 broken, C-REQ-3 A client that reports updates does not ask for a single object
 *
 * @module
 */

import { isBroken, type RuleResult } from "../../conformance/report.ts";
import { inSeconds } from "../../conformance/rule.ts";
import type { Plan } from "../../conformance/run.ts";
import type { CommandContext } from "../command.ts";
import { fitWidth } from "../fit_width.ts";
import { printable } from "../printable.ts";
import { CLEAR_LINE, spinnerAt, TICK_MS } from "./spinner.ts";

/** How often to write a line without a terminal, in milliseconds, unless results appear meanwhile. */
const LINE_MS = 30_000;

/** The least duration of a run, in milliseconds, for which it is announced. */
const LONG_RUN_MS = 5_000;

/** Options of {@link RunView}. */
export interface RunViewOptions {
  /** How many rules there are. */
  readonly total: number;
  /** Formats a result as a line. Without it, results are not shown. */
  readonly describe?: (result: RuleResult) => string;
  /** Printed once, before the first result. Without results, it is left out. */
  readonly heading?: string;
}

/** Shows a run, until {@link RunView.end}. */
export class RunView {
  readonly #context: CommandContext;
  readonly #options: RunViewOptions;
  readonly #hasStatus: boolean;
  readonly #stopTicking: () => void;
  #rule: { id: string; title: string } | undefined;
  /** The activity before the first rule. */
  #before: string | undefined;
  #finished = 0;
  #broken = 0;
  #tick = 0;
  /** How many results had been shown at the last progress line. */
  #shown = 0;

  /**
   * Starts showing a run.
   *
   * @param context The terminal and the clock.
   * @param options What to show.
   */
  constructor(context: CommandContext, options: RunViewOptions) {
    this.#context = context;
    this.#options = options;
    this.#hasStatus = context.stderr.isTTY === true && context.env.TERM !== "dumb";
    this.#stopTicking = this.#hasStatus
      ? context.repeat(() => this.#nextTick(), TICK_MS)
      : context.repeat(() => this.#writeLine(), LINE_MS);
  }

  /** Announces how long the run takes, if it is long. */
  plan({ pullMs, expectedMs }: Plan): void {
    if (expectedMs < LONG_RUN_MS) return;
    this.#clear();
    this.#context.stderr.write(
      `A pull takes ${inSeconds(pullMs)}, and this run about ${inSeconds(expectedMs)}\n`,
    );
    this.#before = "walking through the states of a pull";
    this.#draw();
  }

  /** Shows the rule that is about to run. */
  start(rule: { id: string; title: string }): void {
    this.#rule = rule;
    this.#draw();
  }

  /** Adds the result of that rule. */
  add(result: RuleResult): void {
    const { describe, heading = "" } = this.#options;
    this.#clear();
    if (this.#finished === 0) this.#context.stdout.write(heading);
    if (describe) this.#context.stdout.write(`${describe(result)}\n`);
    this.#finished++;
    if (isBroken(result)) this.#broken++;
    this.#rule = undefined;
  }

  /** Stops drawing. */
  end(): void {
    this.#stopTicking();
    this.#clear();
  }

  #nextTick(): void {
    this.#tick++;
    this.#draw();
  }

  /** Reports the progress of the run, unless results do so. */
  #writeLine(): void {
    const isTold = this.#options.describe !== undefined && this.#finished > this.#shown;
    this.#shown = this.#finished;
    const text = this.#describeState();
    if (text !== undefined && !isTold) this.#context.stderr.write(`${text}\n`);
  }

  /** The progress of the run, or `undefined` between two rules. */
  #describeState(): string | undefined {
    if (!this.#rule) return this.#finished === 0 ? this.#before : undefined;
    const { id, title } = this.#rule;
    const broken = this.#broken > 0 ? `${this.#broken} broken, ` : "";
    return printable(`${this.#finished + 1}/${this.#options.total}, ${broken}${id} ${title}`);
  }

  #draw(): void {
    const text = this.#describeState();
    if (!this.#hasStatus || text === undefined) return;
    const spinner = spinnerAt(this.#tick);
    const columns = (this.#context.stderr.columns || 80) - 1;
    this.#context.stderr.write(CLEAR_LINE + fitWidth(`${spinner} ${text}`, columns));
  }

  #clear(): void {
    if (this.#hasStatus) this.#context.stderr.write(CLEAR_LINE);
  }
}
