/**
 * Shows the run of a suite: one line on standard error that is redrawn, if that is a terminal, or else
 * one now and then, and each result on standard output as it is found, if asked for.
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

/** How often a line comes where there is no terminal, in milliseconds, unless results come meanwhile. */
const LINE_MS = 30_000;

/** How long a run must take at least for its time to be told, in milliseconds. */
const LONG_RUN_MS = 5_000;

/** Options of {@link RunView}. */
export interface RunViewOptions {
  /** How many rules there are. */
  readonly total: number;
  /** Makes the line of a result. Without it, results are not shown. */
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
  /** What is done before the first rule. */
  #before: string | undefined;
  #finished = 0;
  #broken = 0;
  #tick = 0;
  /** How many results had been shown at the last line. */
  #shown = 0;

  /**
   * Shows a run from now on.
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

  /** Says how long the run takes, if that is worth waiting for elsewhere. */
  plan({ pullMs, expectedMs }: Plan): void {
    if (expectedMs < LONG_RUN_MS) return;
    this.#clear();
    this.#context.stderr.write(
      `A pull takes ${inSeconds(pullMs)}, and this run about ${inSeconds(expectedMs)}\n`,
    );
    this.#before = "walking through the states of a pull";
    this.#draw();
  }

  /** Shows the rule that runs next. */
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

  /** Says how far the run is, unless results say it. */
  #writeLine(): void {
    const isTold = this.#options.describe !== undefined && this.#finished > this.#shown;
    this.#shown = this.#finished;
    const text = this.#describeState();
    if (text !== undefined && !isTold) this.#context.stderr.write(`${text}\n`);
  }

  /** How far the run is, or `undefined` between two rules. */
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
