/**
 * Shows a pull on a terminal, redrawn in place.
 *
 *     PullProgress ──▶ the latest one ── at each tick ──▶ lines (bars.ts) ──▶ log-update ──▶ screen
 *
 * The screen is drawn by the clock, not by the server: however much that sends, a terminal gets ten
 * pictures a second. The size of the terminal is looked at each time, so a resize needs no event.
 *
 * @module
 */

import { createLogUpdate } from "log-update";
import stringWidth from "string-width";
import type { PullProgress } from "../../mod.ts";
import type { CommandContext, Output } from "../command.ts";
import { printable } from "../format.ts";
import { drawPull, type Size } from "./bars.ts";
import { LayerInterest } from "./layer_interest.ts";
import type { ProgressView } from "./view.ts";

const TICK_MS = 100;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_LINE = "\r\x1b[K";
const CLEAR_BELOW = "\x1b[J";
/** What a server can make the picture grow by, beyond the layers. */
const MAX_STEPS = 6;

/** The terminal for log-update, with a size in any case: some pseudo-terminals say 0. */
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
  #progress: PullProgress | undefined;
  #before: string[];
  #after: string[] = [];
  #tick = 0;
  #cursorHidden = false;
  /** What is on the screen, and the room that it was drawn for. */
  #painted: { lines: string[]; room: Size } | undefined;

  /**
   * Draws from now on, until {@link BarsView.end}.
   *
   * @param context The terminal and the clock.
   * @param opening What to show until the server says something.
   */
  constructor(
    context: Pick<CommandContext, "stdout" | "repeat" | "holdTerminal">,
    opening: string,
  ) {
    this.#stdout = withSize(context.stdout);
    this.#before = [opening];
    // The cursor is seen to here: log-update would hide it on standard error, whatever it draws on.
    const stream = this.#stdout as unknown as NodeJS.WritableStream;
    this.#update = createLogUpdate(stream, { showCursor: true });
    this.#letGo = context.holdTerminal(() => this.#leaveScreen());
    this.#stopTicking = context.repeat(() => this.#nextTick(), TICK_MS);
    this.#paint();
  }

  show(progress: PullProgress): void {
    if (this.#progress === undefined) this.#before = [];
    this.#progress = progress;
    if (progress.phase === "downloading") return;
    const words = printable(progress.status) || progress.phase;
    const steps = progress.phase === "manifest" ? this.#before : this.#after;
    if (!steps.includes(words)) steps.push(words);
    if (steps.length > MAX_STEPS) steps.shift();
  }

  end(): void {
    this.#stopTicking();
    this.#tick = -1;
    // A terminal has written the ^C of an interrupt where the cursor was.
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

  /** Below the picture is a line for the cursor, and no line is filled to the edge. */
  #room(): Size {
    return { columns: this.#stdout.columns - 1, rows: this.#stdout.rows - 1 };
  }

  #draw(progress: PullProgress, room: Size): string[] {
    const ranked = this.#interest.rank(progress.layers);
    return drawPull(progress, this.#steps(progress), room, ranked);
  }

  /** The server's words, the latest of them turning while it is at work on that. */
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

  #withSpinner(words: string): string {
    return this.#tick < 0 ? words : `${words} ${SPINNER[this.#tick % SPINNER.length]}`;
  }

  /**
   * Takes the old picture away when the terminal has another size: its lines may have been wrapped
   * since, which log-update, counting them as it wrote them, would leave remains of.
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

  /** Leaves the picture where it is; what is drawn next goes below it. */
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
