/**
 * The ways to show a pull on standard output: bars for a terminal, lines for a file or a pipe, JSON for a
 * program, or nothing.
 *
 * @module
 */

import { formatProgress, type PullProgress, type PullRetry } from "../../mod.ts";
import { formatPercent } from "../../src/amounts.ts";
import type { CommandContext, Output } from "../command.ts";
import { describeRetry } from "../failure.ts";
import { printable } from "../printable.ts";
import { JsonView } from "./json_view.ts";
import { describeStandstill, Standstill } from "./standstill.ts";
import type { ProgressView } from "./view.ts";

/** What to write: progress for people, JSON for a program, or only errors. */
export type OutputForm = "suitable" | "json" | "quiet";

/** How to show a pull. */
export interface ViewOptions {
  /** The model's name. */
  readonly model: string;
  /** What to write. */
  readonly form: OutputForm;
  /** The text to show until the first snapshot. */
  readonly opening: string;
}

/** The view that suits standard output. */
export async function createView(
  context: CommandContext,
  { model, form, opening }: ViewOptions,
): Promise<ProgressView> {
  if (form === "json") return new JsonView(context.stdout, model);
  if (form === "quiet") return SILENT_VIEW;
  const canRedraw = context.stdout.isTTY === true && context.env.TERM !== "dumb";
  if (!canRedraw) return new LinesView(context);
  // Loaded only for a terminal: what they are drawn with reads more of the environment.
  const { BarsView } = await import("./bars_view.ts");
  return new BarsView(context, opening);
}

/** Shows nothing, for callers who only need the outcome. */
const SILENT_VIEW: ProgressView = {
  show: () => {},
  retry: () => {},
  note: () => {},
  end: () => {},
};

/** How often to check whether a download stands still, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
/** After how many seconds to report that a download stands still. */
const FIRST_TOLD_SECONDS = 10;
/** After how many different statuses new ones are no longer written at once. */
const MAX_PROMPT_WORDS = 20;

/**
 * Plain lines: each new status at once, and the download at most once per second if its percentage has
 * changed, or otherwise ten seconds after the last line. A long pull takes about a hundred lines. A download
 * that stands still is reported after ten seconds, twenty, forty and so on.
 *
 * While the total size is unknown, bytes replace the percentage: `completed` rounded to two digits.
 */
export class LinesView implements ProgressView {
  readonly #stdout: Output;
  readonly #now: () => number;
  readonly #standstill: Standstill;
  readonly #stopLooking: () => void;
  readonly #seen = new Set<string>();
  #writtenAt = -Infinity;
  #written = "";
  /** The latest snapshot, during a download. */
  #download: PullProgress | undefined;
  /** The progress in the last line. */
  #mark = "";
  /** After how many seconds of standstill to report it next. */
  #nextTold = FIRST_TOLD_SECONDS;

  /** Writes to an output, paced by a clock. */
  constructor(context: Pick<CommandContext, "stdout" | "now" | "repeat">) {
    this.#stdout = context.stdout;
    this.#now = () => context.now();
    this.#standstill = new Standstill(this.#now);
    this.#stopLooking = context.repeat(() => this.#look(), LOOK_EVERY_MS);
  }

  show(progress: PullProgress): void {
    this.#standstill.note(progress);
    this.#download = progress.phase === "downloading" ? progress : undefined;
    if (this.#download) this.#showDownload(progress);
    else this.#showStep(printable(progress.status) || progress.phase);
  }

  retry(retry: PullRetry): void {
    this.#standstill.restart();
    this.note(describeRetry(retry));
  }

  note(line: string): void {
    this.#write(line);
  }

  end(): void {
    this.#stopLooking();
  }

  /** Reports a download that stands still, less and less often. */
  #look(): void {
    const { seconds } = this.#standstill;
    if (seconds === undefined) this.#nextTold = FIRST_TOLD_SECONDS;
    if (!this.#download || seconds === undefined || seconds < this.#nextTold) return;
    this.#nextTold = 2 * seconds;
    this.#write(`pulling ${describeDownload(this.#download, seconds)}`);
  }

  #showStep(words: string): void {
    if (words === this.#written) return;
    const isPrompt = !this.#seen.has(words) && this.#seen.size < MAX_PROMPT_WORDS;
    if (!isPrompt && this.#pause() < SHORTEST_PAUSE_MS) return;
    if (isPrompt) this.#seen.add(words);
    this.#write(words);
  }

  #showDownload(progress: PullProgress): void {
    const { completed, totalIsKnown, fraction } = progress;
    const mark = totalIsKnown ? formatPercent(fraction) : completed.toPrecision(2);
    const pause = this.#pause();
    const isDue = mark !== this.#mark && pause >= SHORTEST_PAUSE_MS;
    const standsStill = this.#standstill.seconds !== undefined; // which `#look` reports
    if (this.#mark !== "" && !isDue && (standsStill || pause < LONGEST_PAUSE_MS)) return;
    this.#mark = mark;
    this.#write(`pulling ${describeDownload(progress)}`.trimEnd());
  }

  #pause(): number {
    return this.#now() - this.#writtenAt;
  }

  #write(line: string): void {
    this.#writtenAt = this.#now();
    this.#written = line;
    this.#stdout.write(`${line}\n`);
  }
}

/** The progress and speed of a download, or for how many seconds it has stood still. */
function describeDownload(progress: PullProgress, standstill?: number): string {
  const { percent, bytes, line } = formatProgress(progress);
  if (standstill === undefined) return line;
  const parts = [percent, bytes, describeStandstill(standstill)];
  return parts.filter((part) => part !== undefined).join(", ");
}
