/**
 * A relay in Cloudflare's Workers. An object for each model has one pull for any number of viewers, and
 * takes it up again after it was evicted: Ollama has kept the bytes, and viewers connect again.
 *
 *     request ─▶ Worker: allow ─▶ object of the model: createRelay ─▶ PullManager ─▶ Ollama
 *                                   └──── storage: what is pulled, and how it ended ─┘
 *
 * @module
 */

import { type PullEntry, PullManager } from "@ollama-pull/kit";
import { createRelay, fromRecords, toRecords } from "@ollama-pull/kit/relay";
import type { DurableObjectState, Env } from "./cloudflare_stub.ts";

/** How often an alarm wakes the object while a pull runs: it goes on even if nobody watches. */
const wakeEveryMs = 30_000;
/** How long viewers are told how a pull ended. */
const keepEndedMs = 3_600_000;

/** Sends each model to its object, if the viewer has the token: put your own login in its place. */
export default {
  fetch: (request: Request, { PULLS, TOKEN }: Env): Promise<Response> =>
    createRelay({
      allow: (request, { model }) =>
        request.headers.get("Authorization") === `Bearer ${TOKEN}` &&
        PULLS.getByName(String(model).toLowerCase()).fetch(request), // the same for `x` and `x:latest`
    })(request),
};

/** The pull of one model. It needs no `waitUntil`: an object lives as long as it has work. */
export class ModelPull {
  readonly #relay: (request: Request) => Promise<Response>;
  #keptState: PullEntry["state"] | undefined;

  constructor(private readonly state: DurableObjectState, { OLLAMA_HOST: host }: Env) {
    const manager = new PullManager({ host, retries: 10, updateEveryMs: 0 });
    this.#relay = createRelay({ allow: () => true, manager, keepEndedMs, followSignal: true });
    state.blockConcurrencyWhile(() => this.#resume(manager));
  }

  fetch(request: Request): Promise<Response> {
    return this.#relay(request);
  }

  /** Has woken the object, which is all that a pull needs that runs. Forgets one whose end is old. */
  async alarm(): Promise<void> {
    if (this.#keptState === "running") await this.state.storage.setAlarm(Date.now() + wakeEveryMs);
    else await this.state.storage.deleteAll();
  }

  /** Takes up the pull that an evicted object has left, or shows how it ended. */
  async #resume(manager: PullManager): Promise<void> {
    const { model, records } = await this.state.storage.get("pull") ?? {};
    const pull = records && (() => fromRecords(ReadableStream.from(records)));
    const hub = model ? manager.start(model, { pull }) : undefined;
    if (records) await hub?.done.catch(() => {});
    manager.subscribe(({ entries: [entry] }) => entry && this.#note(entry));
  }

  /** Stores which pull runs and, once it has ended, its last snapshot and its end. */
  async #note({ model, state, hub }: PullEntry): Promise<void> {
    if (state === this.#keptState) return;
    this.#keptState = state;
    const records = state === "running" ? undefined : await Array.fromAsync(toRecords(hub.watch()));
    await this.state.storage.put("pull", { model, records });
    await this.state.storage.setAlarm(Date.now() + (records ? keepEndedMs : wakeEveryMs));
  }
}
