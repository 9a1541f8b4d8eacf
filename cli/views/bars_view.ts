/**
 * Shows a pull on a terminal, redrawn in place.
 *
 *     PullProgress ──▶ the latest one ── at each tick ──▶ lines (bars.ts) ──▶ log-update ──▶ screen
 *
 * The clock decides when to draw, not the server: however much the server sends, the terminal is redrawn ten
 * times a second. The size of the terminal is read each time, so no resize event is needed.
 *
 * @module
 */

import { createLogUpdate } from "log-update";
import stringWidth from "string-width";
import type { PullProgress, PullRetry } from "../../mod.ts";
import { formatDuration } from "../../src/amounts.ts";
import type { CommandContext, Output } from "../command.ts";
import { describeRetry } from "../failure.ts";
import { printable } from "../printable.ts";
import { drawPull, type Size } from "./bars.ts";
import { LayerInterest } from "./layer_interest.ts";
import { CLEAR_LINE, spinnerAt, TICK_MS } from "./spinner.ts";
import { Standstill } from "./standstill.ts";
import type { ProgressView } from "./view.ts";

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_BELOW = "\x1b[J";
/** The most lines around the layers, whatever the server sends. */
const MAX_STEPS = 6;

/** The terminal for log-update, always with a size: some pseudo-terminals report 0. */
function withSize(stdout: Output): Output & Size {
  return {
    write: (text) => stdout.write(text),
    isTTY: true,
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
  };
}

/** Bars on a terminal. */
export class BarsView implements ProgressView {
  readonly #stdout: Output & Size;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #stopTicking: () => void;
  readonly #letGo: () => void;
  readonly #interest = new LayerInterest();
  readonly #standstill: Standstill;
  #progress: PullProgress | undefined;
  #before: string[];
  #after: string[] = [];
  #tick = 0;
  #cursorHidden = false;
  /** The lines on the screen, and the size for which they were drawn. */
  #painted: { lines: string[]; room: Size } | undefined;

  /**
   * Draws from now on, until {@link BarsView.end}.
   *
   * @param context The terminal and the clock.
   * @param opening The text to show until the first snapshot.
   */
  constructor(
    context: Pick<CommandContext, "stdout" | "now" | "repeat" | "holdTerminal">,
    opening: string,
  ) {
    this.#stdout = withSize(context.stdout);
    this.#standstill = new Standstill(() => context.now());
    this.#before = [opening];
    // The cursor is handled here, because log-update always hides it on standard error.
    const stream = this.#stdout as unknown as NodeJS.WritableStream;
    this.#update = createLogUpdate(stream, { showCursor: true });
    this.#letGo = context.holdTerminal(() => this.#leaveScreen());
    this.#stopTicking = context.repeat(() => this.#nextTick(), TICK_MS);
    this.#paint();
  }

  show(progress: PullProgress): void {
    if (this.#progress === undefined) this.#before = [];
    this.#progress = progress;
    this.#standstill.note(progress);
    if (progress.phase === "downloading") return;
    const words = printable(progress.status) || progress.phase;
    const steps = progress.phase === "manifest" ? this.#before : this.#after;
    if (!steps.includes(words)) steps.push(words);
    if (steps.length > MAX_STEPS) steps.shift();
  }

  retry(retry: PullRetry): void {
    this.#standstill.restart();
    this.note(describeRetry(retry));
  }

  /** Writes a permanent line above the picture. */
  note(line: string): void {
    this.#clearAfterResize(this.#room());
    this.#update.clear();
    this.#stdout.write(`${line}\n`);
    this.#forgetPicture();
    this.#paint();
  }

  end(): void {
    this.#stopTicking();
    this.#tick = -1;
    // After an interrupt, the terminal has written ^C at the cursor.
    this.#stdout.write(CLEAR_LINE);
    this.#paint();
    this.#leaveScreen();
    this.#letGo();
  }

  #nextTick(): void {
    this.#tick++;
    this.#paint();
  }

  #paint(): void {
    const room = this.#room();
    const lines = this.#progress
      ? this.#draw(this.#progress, room)
      : [this.#withSpinner(this.#before[0] ?? "")];
    if (!this.#cursorHidden) this.#stdout.write(HIDE_CURSOR);
    this.#cursorHidden = true;
    this.#clearAfterResize(room);
    this.#update(lines.join("\n"));
    this.#painted = { lines, room };
  }

  /** The size of the picture: one line below it is for the cursor, and the last column stays empty. */
  #room(): Size {
    return { columns: this.#stdout.columns - 1, rows: this.#stdout.rows - 1 };
  }

  #draw(progress: PullProgress, room: Size): string[] {
    const ranked = this.#interest.rank(progress.layers);
    const isOver = this.#tick < 0;
    const standstill = isOver ? undefined : this.#standstill.seconds;
    return drawPull(progress, this.#steps(progress), room, { ranked, standstill });
  }

  /** The server's statuses, with a spinner after the current one. */
  #steps({ phase }: PullProgress): { before: string[]; after: string[] } {
    const turnLast = (words: string[]) => {
      const last = words.at(-1);
      return last === undefined ? words : [...words.slice(0, -1), this.#withSpinner(last)];
    };
    return {
      before: phase === "manifest" ? turnLast(this.#before) : this.#before,
      after: phase === "downloading" || phase === "success" ? this.#after : turnLast(this.#after),
    };
  }

  /** A text with a spinner, and the duration of the step if it is long. */
  #withSpinner(words: string): string {
    if (this.#tick < 0) return words;
    const { seconds } = this.#standstill;
    const time = seconds === undefined ? "" : ` ${formatDuration(seconds)}`;
    return `${words} ${spinnerAt(this.#tick)}${time}`;
  }

  /**
   * Clears the old picture after the terminal was resized: its lines may now be wrapped, and log-update,
   * which counts them as they were written, would not clear all of them.
   */
  #clearAfterResize(room: Size): void {
    if (!this.#painted) return;
    const { lines, room: before } = this.#painted;
    if (before.columns === room.columns && before.rows === room.rows) return;
    const columns = room.columns + 1;
    const wrapped = lines.map((line) => Math.max(1, Math.ceil(stringWidth(line) / columns)));
    const rows = Math.min(wrapped.reduce((sum, count) => sum + count, 0), room.rows);
    this.#stdout.write(`${rows > 0 ? `\x1b[${rows}A` : ""}\r${CLEAR_BELOW}`);
    this.#forgetPicture();
  }

  /** Leaves the picture on the screen. The next one goes below it. */
  #leaveScreen(): void {
    if (this.#cursorHidden) this.#stdout.write(SHOW_CURSOR);
    this.#cursorHidden = false;
    this.#forgetPicture();
  }

  #forgetPicture(): void {
    this.#update.done();
    this.#painted = undefined;
  }
}
