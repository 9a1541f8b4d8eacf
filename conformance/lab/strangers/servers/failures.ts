/**
 * Strangers that are wrong when something fails, or from then on.
 *
 * @module
 */

import type { Caller } from "./caller.ts";
import type { Layer } from "./registry.ts";
import { RightServer, type Status, TICK_MS } from "./right_server.ts";
import type { Stranger } from "./stranger.ts";

class LosesMessageWhileBusy extends RightServer {
  protected override encodeError(message: string): string {
    return super.encodeError(this.running.size > 0 ? "" : message);
  }
}

class FollowersSucceed extends RightServer {
  /** The layers whose download a caller has joined, rather than begun. */
  readonly #joined = new WeakMap<Caller, Set<Layer>>();

  protected override download(layer: Layer, caller: Caller): AsyncGenerator<Status, void, void> {
    if (this.disk.downloadOf(layer, caller)) {
      const joined = this.#joined.get(caller) ?? new Set();
      this.#joined.set(caller, joined.add(layer));
    }
    return super.download(layer, caller);
  }

  protected override verify(layer: Layer, caller: Caller): void {
    if (!this.#joined.get(caller)?.has(layer)) super.verify(layer, caller);
  }
}

/** How many connections to the registry there may be. */
const CONNECTIONS = 5;

class LeaksConnections extends RightServer {
  #connections = 0;

  protected override async manifestOf(caller: Caller): Promise<readonly Layer[]> {
    while (this.#connections >= CONNECTIONS) await caller.sleep(TICK_MS);
    this.#connections++;
    const layers = await super.manifestOf(caller);
    this.#connections--;
    return layers;
  }
}

class RemembersMissing extends RightServer {
  readonly #missing = new Map<string, unknown>();

  protected override async manifestOf(caller: Caller): Promise<readonly Layer[]> {
    const { key } = caller.order.model;
    if (this.#missing.has(key)) throw this.#missing.get(key);
    try {
      return await super.manifestOf(caller);
    } catch (error) {
      this.#missing.set(key, error);
      throw error;
    }
  }
}

class VerifiesFirstLayer extends RightServer {
  protected override verify(layer: Layer, caller: Caller): void {
    if (this.running.get(caller)?.[0] === layer) super.verify(layer, caller);
  }
}

/** The strangers of this kind. */
export const failures: readonly Stranger[] = [
  {
    name: "loses the message of an error while another pull goes on",
    kind: "failures",
    breaks: 'observed: the last line is {"error":"pull model manifest: file does not exist"}',
    rule: "S-ERR-6",
    how:
      "pull a model, and meanwhile one that the registry does not have: an error without a reason",
    make: (options) => new LosesMessageWhileBusy(options),
  },
  {
    name: "reports success to those who joined a download that fails its checksum",
    kind: "failures",
    breaks: "observed: a blob that fails its checksum is an error, and the blob is dropped",
    rule: "S-ERR-10",
    how:
      "pull twice at once while the registry sends wrong bytes: the second caller is told success",
    make: (options) => new FollowersSucceed(options),
  },
  {
    name: "leaks a connection to the registry at each manifest that is not there",
    kind: "failures",
    breaks: "A refused request does not affect the next one",
    rule: "S-ERR-11",
    how: "ask for five models that do not exist: every pull after them hangs at `pulling manifest`",
    make: (options) => new LeaksConnections(options),
  },
  {
    name: "remembers that a model is not there",
    kind: "failures",
    breaks:
      "A refused request does not affect the next one; observed: the manifest is fetched at " +
      "each pull",
    rule: "S-ERR-11",
    how: "pull a model, be told that it does not exist, publish it, and pull again: the same error",
    make: (options) => new RemembersMissing(options),
  },
  {
    name: "verifies the first layer only",
    kind: "failures",
    breaks: "observed: a blob that fails its checksum is an error, and the blob is dropped",
    rule: "S-ERR-10",
    how: "pull a model while the registry sends wrong bytes of a later layer: success, and garbage",
    make: (options) => new VerifiesFirstLayer(options),
  },
];
