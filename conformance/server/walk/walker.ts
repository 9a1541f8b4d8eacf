/**
 * Makes a walk with a server, and throws the first violation that it finds.
 *
 * @module
 */

import type { LayerSize } from "../../../mod.ts";
import type { Findings } from "../../findings.ts";
import type { CheckRun } from "../../rule.ts";
import type { OpenServer, ServerSubject } from "../subject.ts";
import { LIST_RULE, listedEarly, listsModel } from "../rules/listing.ts";
import { longestWait, OTHER_RULE, seeUnderWay, WAITED } from "../rules/other_models.ts";
import { absentModel, type ActivePull, ask, hasSucceeded, pullBody } from "../transcript.ts";
import { BrokenRule } from "./broken_rule.ts";
import { type Caller, SilentCaller, StreamCaller } from "./caller.ts";
import {
  type Act,
  type Command,
  eventsOf,
  isRefused,
  type PullCommand,
  type PullingCaller,
  REFUSED_BODIES,
  TO_THE_END,
} from "./commands.ts";
import { type Cause, HeldModel, RULE_OF } from "./model.ts";
import type { Pace } from "./pace.ts";
import type { Layout, Scene } from "./scene.ts";

/** How much larger a layer is in another version of its model, in bytes. */
const CHANGED_BYTES = 1_000;

/** The rules about the order of a stream. If they are broken, its phases mean nothing. */
const ORDER_RULES = ["S-SEQ-2", "S-SEQ-3", "S-SEQ-4"];

/** What walks with the same server share. */
export interface Surroundings {
  readonly subject: ServerSubject;
  readonly layout: Layout;
  readonly pace: Pace;
  /** The ids of rules that are already broken. */
  readonly known: ReadonlySet<string>;
  /** Where to record findings. */
  readonly findings: Findings;
  /** How long the pull of another model, alone, took to report a layer, in milliseconds. */
  readonly otherAloneMs: () => number;
}

/** A caller that stays to the end. */
const STAYING: PullingCaller = { joinsAt: 0, leavesAt: TO_THE_END, stream: true };

/** Makes a walk. */
export class Walker implements Scene {
  readonly subject: ServerSubject;
  readonly run: CheckRun;
  readonly layout: Layout;
  readonly pace: Pace;
  readonly model: HeldModel;
  readonly exchanges: Scene["exchanges"] = [];
  readonly now: () => number;
  readonly #known: ReadonlySet<string>;
  readonly #findings: Findings;
  readonly #opened: OpenServer;
  #layers: readonly LayerSize[] | undefined;
  /** The sizes in bytes of the layers of the published model. */
  #sizes: readonly number[];
  /** The cause for which something is awaited. */
  cause: Cause = "alone";
  readonly #otherAloneMs: () => number;
  /** Whether the model is installed, as far as that is known. */
  #isInstalled: boolean | undefined;

  constructor(
    { subject, layout, pace, known, findings, otherAloneMs }: Surroundings,
    server: OpenServer,
    sizes: readonly number[],
    run: CheckRun,
  ) {
    this.subject = subject;
    this.layout = layout;
    this.pace = pace;
    this.#known = known;
    this.run = run;
    this.now = () => server.now();
    this.#findings = findings;
    this.#opened = server;
    this.#layers = server.layers;
    this.#sizes = sizes;
    const isFresh = subject.lacks.fresh === undefined;
    this.#otherAloneMs = otherAloneMs;
    this.#isInstalled = isFresh ? false : undefined;
    this.model = new HeldModel({ layers: server.layers, isFresh, pace });
  }

  get server(): OpenServer {
    return { ...this.#opened, layers: this.#layers };
  }

  get totalBytes(): number {
    const known = (this.#layers ?? []).reduce((sum, { size }) => sum + size, 0);
    return known || this.layout.totalBytes || Infinity;
  }

  get isSuccessTrue(): boolean {
    return !ORDER_RULES.some((id) => this.#known.has(id));
  }

  awaits(cause: Cause): void {
    this.cause = cause;
  }

  saw(rule: string): void {
    this.#findings.saw(rule);
  }

  report(breach: BrokenRule): void {
    if (!this.#known.has(breach.rule)) throw breach;
  }

  /** Executes some commands, and then pulls the model to the end. */
  async walk(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.#do(command);
    await this.#pull({ do: "pull", callers: [STAYING] });
  }

  async #do(command: Command): Promise<void> {
    switch (command.do) {
      case "pull":
        return await this.#pull(command);
      case "wait":
        return await this.#sleep(this.layout.pullMs * command.percent / 100);
      case "idle":
        return await this.#sleep(command.milliseconds);
      case "delete":
        return await this.#delete();
      case "publish":
        return await this.#publish(command.layer);
      default:
        return await this.#act(command.do, []);
    }
  }

  async #pull(command: PullCommand): Promise<void> {
    const callers = new Map<number, Caller>();
    let reached = 0;
    for (const { at, what } of eventsOf(command)) {
      await this.#advance([...callers.values()], reached, at);
      reached = at;
      const others = (but?: number) =>
        [...callers].filter(([index]) => index !== but).map(([, caller]) => caller);
      switch (what.do) {
        case "join":
          callers.set(what.caller, await this.#join(command.callers[what.caller]!, others()));
          break;
        case "leave":
          await callers.get(what.caller)?.leave();
          for (const caller of others(what.caller)) caller.disturb("left");
          callers.delete(what.caller);
          break;
        case "act":
          await this.#act(what.act, others());
      }
    }
    // The latest caller first: its reports must not wait until the others are done.
    for (const caller of [...callers.values()].reverse()) await caller.finish();
  }

  /** Lets the download continue to a percentage of the model. */
  async #advance(callers: readonly Caller[], from: number, to: number): Promise<void> {
    const present = callers.filter(({ isOver }) => !isOver);
    const reader = present.findLast((caller) => caller instanceof StreamCaller);
    if (reader) await reader.readUntil(to / 100);
    else if (present.length > 0) await this.#sleep(this.layout.pullMs * (to - from) / 100);
  }

  async #join({ stream }: PullingCaller, others: readonly Caller[]): Promise<Caller> {
    this.#enter(stream ? "pull" : "pull without a stream");
    for (const other of others) other.disturb("shared");
    return stream ? await StreamCaller.join(this) : new SilentCaller(this);
  }

  async #act(act: Act, present: readonly Caller[]): Promise<void> {
    this.#enter(act);
    if (act === "list") return await this.#list();
    if (act === "other") return await this.#pullOther(present);
    const body = act === "absent"
      ? pullBody(this.server, { stream: true }, absentModel(this.server))
      : REFUSED_BODIES[act];
    this.awaits("refused");
    const answer = await (await ask(this.server, { body }, this.run)).readAll();
    if (!isRefused(act) || hasSucceeded(answer)) return;
    for (const caller of present) caller.disturb("refused");
    this.model.refuse();
  }

  /** Checks whether the model is in the list of models. */
  async #list(): Promise<void> {
    const isListed = await listsModel(this.server, this.run);
    const isInstalled = this.model.state === "all" ? true : this.#isInstalled;
    if (isListed === undefined || isInstalled === undefined) return;
    // The pull may have succeeded by now, even if nobody has read that.
    if (isListed && !isInstalled && this.model.canBeWhole(this.now())) return;
    // Some servers list only models that they can read, so an empty list proves nothing.
    if (!isListed || isInstalled) return;
    const { expected, seen, exchanges } = listedEarly();
    this.report(new BrokenRule(LIST_RULE, expected, seen, exchanges));
  }

  async #pullOther(present: readonly Caller[]): Promise<void> {
    const other = this.server.otherModel;
    if (!other) return;
    const cause = present.length > 0 ? "beside" : "alone";
    const rule = RULE_OF[cause];
    this.awaits(cause);
    for (const caller of present) caller.disturb(cause);
    const pull = await this.#beginOther(present);
    const answer = await pull.readAll();
    if (hasSucceeded(answer)) return this.saw(rule);
    const seen = JSON.stringify(answer.statuses.at(-1)?.status ?? answer.text);
    this.report(new BrokenRule(rule, "a pull that succeeds", seen, [answer.exchange]));
  }

  /** Pulls another model until it reports a layer, which must not wait for the pull of the first one. */
  async #beginOther(present: readonly Caller[]): Promise<ActivePull> {
    const reader = present.findLast((caller) => caller instanceof StreamCaller && !caller.isOver) as
      | StreamCaller
      | undefined;
    const start = this.now();
    let isBegun = false;
    const begun = seeUnderWay(this.server, this.run).finally(() => isBegun = true);
    begun.catch(() => {}); // handled below
    await reader?.readWhile(() => !isBegun);
    const hasWaited = reader !== undefined && !isBegun;
    const waitedMs = this.now() - start;
    const other = await begun;
    if (!hasWaited || waitedMs < longestWait(this.#otherAloneMs())) return other;
    const { exchange } = other.transcript();
    this.report(new BrokenRule(OTHER_RULE, WAITED.expected, WAITED.seen, [exchange]));
    return other;
  }

  /** Deletes the model. If there is none, nothing may change. */
  async #delete(): Promise<void> {
    const { model } = this;
    this.#enter("delete");
    const status = await this.server.remove?.().catch(() => undefined);
    this.#isInstalled = status === 200 || status === 404 ? false : undefined;
    if (status === 404 && model.state !== "all") model.refuse();
    else model.forget();
  }

  async #publish(place: number): Promise<void> {
    this.#enter("publish");
    const changed = place % this.#sizes.length;
    this.#sizes = this.#sizes.map((size, index) => index === changed ? size + CHANGED_BYTES : size);
    this.#layers = await this.server.change?.(this.#sizes) ?? this.#layers;
    this.model.publish(this.#layers ?? []);
  }

  /** Records the state in which something is done. */
  #enter(what: string): void {
    const { state, callers, cause } = this.model;
    const company = callers === 0 ? "nobody pulls" : `${callers} pull`;
    const before = { refused: ", after a refusal", changed: ", published anew" };
    const note = before[cause as keyof typeof before] ?? "";
    this.#findings.enter(`${what}: ${state} there, ${company}${note}`);
  }

  async #sleep(milliseconds: number): Promise<void> {
    const { sleep = realSleep } = this.server;
    await sleep(milliseconds);
    this.run.signal.throwIfAborted();
  }
}

function realSleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
