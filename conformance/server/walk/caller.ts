/**
 * A caller in a walk: it pulls the model, and checks every line against what the server must have.
 *
 * @module
 */

import type { PullStatus } from "../../../mod.ts";
import { Inconclusive, Violation } from "../../rule.ts";
import type { Reach } from "../rules/pull_rule.ts";
import { streamRules } from "../rules/stream.ts";
import {
  type ActivePull,
  ask,
  hasSucceeded,
  isPartial,
  isSingleSuccess,
  pullBody,
  type Transcript,
} from "../transcript.ts";
import { BrokenRule } from "./broken_rule.ts";
import { type Cause, type Floor, RULE_OF } from "./model.ts";
import type { Scene } from "./scene.ts";

/** If a caller waited at least this many milliseconds for a line, the line was sent just now. */
const WAITED_MS = 5;

/** The rules about each stream that are checked in walks. */
const checkedRules = streamRules.filter(({ id }) => /^S-(SEQ|DOWN)-|^S-FRAME-7$/.test(id));

/** A caller. */
export interface Caller {
  /** Whether its pull is over. */
  readonly isOver: boolean;
  /** Notes an event that must not affect it. */
  disturb(cause: Cause): void;
  /** Reads to the end, and requires success. */
  finish(): Promise<void>;
  /** Disconnects. */
  leave(): Promise<void>;
}

/** A caller that asks for a stream. */
export class StreamCaller implements Caller {
  readonly #scene: Scene;
  readonly #pull: ActivePull;
  readonly #floors: Map<string, Floor>;
  /** The cause that a failure of the pull would have. */
  #cause: Cause;
  /** How many of the statuses were processed. */
  #read = 0;
  #readAt: number;
  /** The last reported bytes of each layer. */
  readonly #last = new Map<string, number>();
  /** The last reported layer. */
  #current: string | undefined;
  /** Whether an incomplete layer was reported. */
  #hasSeenPart = false;
  /** How many bytes have been added while this caller was watching. */
  readonly #points: { ms: number; bytes: number }[] = [];
  #grown = 0;
  #isDisturbed = false;
  #hasFinished = false;

  private constructor(scene: Scene, pull: ActivePull, cause: Cause, floors: Map<string, Floor>) {
    this.#scene = scene;
    this.#pull = pull;
    this.#cause = cause;
    this.#floors = floors;
    this.#readAt = scene.now();
  }

  /** Starts to pull. */
  static async join(scene: Scene): Promise<StreamCaller> {
    const { model, server, run } = scene;
    const { cause } = model;
    const floors = model.join(scene.now());
    scene.awaits(cause);
    const body = pullBody(server, { stream: true });
    const pull = await failing(cause, () => ask(server, { body }, run));
    scene.exchanges.push(() => pull.transcript().exchange);
    const caller = new StreamCaller(scene, pull, cause, floors);
    await caller.#readUntil(() => caller.#hasSeenPart);
    if (caller.#isAtEnd) await caller.finish();
    return caller;
  }

  get isOver(): boolean {
    return this.#hasFinished;
  }

  /** Reads until a share of the model is downloaded. */
  async readUntil(share: number): Promise<void> {
    await this.#readUntil(() => this.#share >= share);
    if (this.#isAtEnd) await this.finish();
  }

  /** Reads as long as something else continues. */
  async readWhile(goesOn: () => boolean): Promise<void> {
    await this.#readUntil(() => !goesOn());
    if (this.#isAtEnd) await this.finish();
  }

  disturb(cause: Cause): void {
    this.#cause = cause;
    this.#isDisturbed = true;
    for (const digest of this.#last.keys()) this.#setFloor(digest, cause);
  }

  async finish(): Promise<void> {
    if (this.#hasFinished) return;
    await this.#readUntil(() => false);
    this.#hasFinished = true;
    const transcript = this.#pull.transcript();
    const { model } = this.#scene;
    const rule = RULE_OF[this.#cause];
    if (!hasSucceeded(transcript)) {
      this.#scene.report(
        new BrokenRule(rule, "a pull that succeeds", endOf(transcript), this.#shown),
      );
      model.leave(this.#scene.now());
      return;
    }
    // Only virtual time shows when something was sent, whatever the load of this machine.
    const isVirtual = this.#scene.server.sleep !== undefined;
    this.#checkStream(transcript, ["begun", "ended", ...isVirtual ? ["timed" as const] : []]);
    sawSuccess(this.#scene, this.#cause);
    model.leave(this.#scene.now());
    if (this.#scene.isSuccessTrue) model.succeed();
    this.#scene.layout.measure(transcript);
  }

  async leave(): Promise<void> {
    if (this.#hasFinished) return;
    this.#hasFinished = true;
    await this.#pull.leave();
    this.#scene.model.leave(this.#scene.now());
    const transcript = this.#pull.transcript();
    if (transcript.statuses.length > 0) {
      this.#checkStream(transcript, ["begun"]);
    }
  }

  /** The downloaded share of the model, according to the statuses read. */
  get #share(): number {
    const { layout, model } = this.#scene;
    let bytes = 0;
    for (const [digest, last] of this.#last) {
      const isPassed = digest !== this.#current && layout.isSequential;
      bytes += isPassed ? model.totalOf(digest) ?? last : last;
    }
    return bytes / this.#scene.totalBytes;
  }

  get #isAtEnd(): boolean {
    return this.#pull.transcript().exchange.answer?.ending !== "hang";
  }

  get #shown() {
    return this.#scene.exchanges.map((exchange) => exchange());
  }

  /** From now on, no fewer bytes of a layer may be reported than were reported last. */
  #setFloor(digest: string, because: Cause): void {
    const total = this.#scene.model.totalOf(digest) ?? Infinity;
    const bytes = Math.min(this.#last.get(digest) ?? 0, total);
    this.#floors.set(digest, { bytes, isWhole: bytes === total, because });
  }

  async #readUntil(isEnough: () => boolean): Promise<void> {
    this.#scene.awaits(this.#cause);
    this.#readAt = this.#scene.now();
    await this.#pull.readUntil((statuses) => {
      this.#take(statuses);
      return isEnough();
    });
  }

  /** Processes the new statuses. */
  #take(statuses: readonly PullStatus[]): void {
    const now = this.#scene.now();
    const isFresh = now - this.#readAt >= WAITED_MS;
    for (const status of statuses.slice(this.#read)) this.#look(status, now, isFresh);
    this.#read = statuses.length;
    this.#readAt = now;
  }

  #look(status: PullStatus, now: number, isFresh: boolean): void {
    const { digest, completed } = status;
    if (status.kind === "success") this.#lookAtSuccess(now);
    if (digest === undefined || completed === undefined) return;
    const { model, layout } = this.#scene;
    const before = this.#last.get(digest);
    if (digest !== this.#current) this.#pass(before !== undefined, now);
    this.#current = digest;
    this.#checkKnown(digest, status);
    this.#checkFloor(digest, status);
    this.#checkCeiling(digest, completed, now);
    model.hold(digest, completed, status.total);
    layout.see(digest, status.total);
    this.#last.set(digest, completed);
    this.#hasSeenPart ||= isPartial(status);
    if (this.#isDisturbed) this.#setFloor(digest, this.#cause);
    if (before === undefined) return; // how long that took is not known
    this.#grown += Math.max(0, completed - before);
    if (!isFresh) return;
    this.#points.push({ ms: now, bytes: this.#grown });
    this.#scene.pace.measure(this.#points);
    if (isPartial(status)) model.limit(digest, completed, now);
  }

  /** Handles a change to another layer. If layers come one by one, the previous one is now complete. */
  #pass(isReportedAgain: boolean, now: number): void {
    const { layout, model } = this.#scene;
    const passed = this.#current;
    if (isReportedAgain) layout.isInterleaved = true;
    if (passed === undefined || !layout.isSequential) return;
    this.#checkComplete(passed, now);
    model.complete(passed);
  }

  #lookAtSuccess(now: number): void {
    const { model } = this.#scene;
    if (!this.#scene.isSuccessTrue) return;
    for (const digest of model.digests) this.#checkComplete(digest, now);
  }

  #checkKnown(digest: string, { total }: PullStatus): void {
    const { model, layout } = this.#scene;
    if (model.isRemoved(digest)) {
      const expected = "no layer of the previous version alone";
      this.#scene.report(new BrokenRule("S-AGAIN-2", expected, digest, this.#shown));
    }
    const known = layout.totalOf(digest);
    if (total === undefined || known === undefined || total === known) return;
    const expected = `a total of ${known} for ${digest}, as before`;
    this.#scene.report(new BrokenRule("S-DOWN-3", expected, String(total), this.#shown));
  }

  #checkFloor(digest: string, status: PullStatus): void {
    const floor = this.#floors.get(digest);
    if (!floor) return;
    const { bytes, isWhole, because } = floor;
    const rule = RULE_OF[because];
    const { completed = 0, total } = status;
    if (completed >= bytes && !(isWhole && isPartial(status))) return this.#scene.saw(rule);
    const expected = isWhole
      ? `all bytes of ${digest}, which are on disk`
      : `at least the ${bytes} bytes of ${digest} that are on disk`;
    this.#scene.report(new BrokenRule(rule, expected, `${completed} of ${total}`, this.#shown));
  }

  /** Checks that the server does not report more than it can have downloaded. */
  #checkCeiling(digest: string, completed: number, now: number): void {
    if (this.#cause !== "kept" && this.#cause !== "shared") return;
    this.#checkLimit(RULE_OF[this.#cause], digest, completed, now);
  }

  /** Checks that a layer that counts as complete can have been downloaded. */
  #checkComplete(digest: string, now: number): void {
    const rule = { alone: "S-SEQ-2", kept: RULE_OF.kept, shared: RULE_OF.shared };
    const id = rule[this.#cause as keyof typeof rule];
    const total = this.#scene.model.totalOf(digest);
    if (id !== undefined && total !== undefined) this.#checkLimit(id, digest, total, now);
  }

  #checkLimit(rule: string, digest: string, bytes: number, now: number): void {
    const most = this.#scene.model.ceilingOf(digest, now);
    if (most === undefined || bytes <= most) return;
    const expected = `at most ${Math.ceil(most)} bytes of ${digest}, by how fast the server is`;
    this.#scene.report(new BrokenRule(rule, expected, String(bytes), this.#shown));
  }

  /** Checks the stream against the rules that apply to all streams with some reach. */
  #checkStream(transcript: Transcript, reaches: readonly Reach[]): void {
    const { server, subject } = this.#scene;
    for (const { id, skips, reach, checkPull } of checkedRules) {
      if (!reaches.includes(reach) || skips?.(subject) !== undefined) continue;
      try {
        const saw = () => this.#scene.saw(id);
        checkPull(transcript, { layers: server.layers ?? [], saw });
      } catch (error) {
        if (error instanceof Inconclusive) continue;
        if (!(error instanceof Violation)) throw error;
        this.#scene.report(new BrokenRule(id, error.expected, error.seen, error.exchanges));
      }
    }
  }
}

/** The causes for which success alone is evidence. */
const SHOWN_BY_SUCCESS: readonly Cause[] = ["alone", "refused", "beside"];

/** Records a successful pull with some cause. */
function sawSuccess(scene: Scene, cause: Cause): void {
  if (SHOWN_BY_SUCCESS.includes(cause)) scene.saw(RULE_OF[cause]);
}

/** How an unsuccessful pull ended. */
function endOf({ status, statuses, text }: Transcript): string {
  const last = statuses.at(-1);
  const end = JSON.stringify(last?.error ?? last?.status ?? text);
  return status === 200 ? `${end} at the end` : `HTTP ${status} and ${end}`;
}

/** Does something whose failure breaks the rule of some cause. */
async function failing<Result>(cause: Cause, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new BrokenRule(RULE_OF[cause], error.expected, error.seen, error.exchanges);
  }
}

/** A caller that does not ask for a stream. */
export class SilentCaller implements Caller {
  readonly #scene: Scene;
  readonly #answer: Promise<Transcript>;
  readonly #left: AbortController;
  #cause: Cause;
  #hasFinished = false;

  constructor(scene: Scene) {
    const { model, server, run } = scene;
    this.#scene = scene;
    this.#cause = model.cause;
    model.join(scene.now());
    this.#left = new AbortController();
    const signal = AbortSignal.any([run.signal, this.#left.signal]);
    const body = pullBody(server, { stream: false });
    const answer = async () => await (await ask(server, { body }, { ...run, signal })).readAll();
    this.#answer = answer();
    this.#answer.catch(() => {}); // handled when it is awaited
  }

  get isOver(): boolean {
    return this.#hasFinished;
  }

  disturb(cause: Cause): void {
    this.#cause = cause;
  }

  async finish(): Promise<void> {
    if (this.#hasFinished) return;
    this.#hasFinished = true;
    const scene = this.#scene;
    const rule = RULE_OF[this.#cause];
    scene.awaits(this.#cause);
    const transcript = await failing(this.#cause, () => this.#answer);
    scene.exchanges.push(() => transcript.exchange);
    scene.model.leave(scene.now());
    const { text, status, exchange } = transcript;
    scene.saw("S-REQ-3");
    if (isSingleSuccess(text)) {
      if (scene.isSuccessTrue) scene.model.succeed();
      return sawSuccess(scene, this.#cause);
    }
    const isFailure = status >= 400 || !hasSucceeded(transcript);
    scene.report(
      isFailure
        ? new BrokenRule(rule, "a pull that succeeds", endOf(transcript), [exchange])
        : new BrokenRule("S-REQ-3", '{"status":"success"} and nothing else', text, [exchange]),
    );
  }

  leave(): Promise<void> {
    if (!this.#hasFinished) {
      this.#hasFinished = true;
      this.#left.abort();
      // A caller that has left does not wait for an answer, which a server in this process might still give.
      this.#scene.model.leave(this.#scene.now());
    }
    return Promise.resolve();
  }
}
