/**
 * Strangers that are wrong in a state that takes some steps to reach.
 *
 * @module
 */

import type { Caller } from "./caller.ts";
import type { WireAnswer } from "./connection.ts";
import { Disk, type Download } from "./disk.ts";
import type { Layer, ModelName } from "./registry.ts";
import { jsonAnswer, Refusal, RightServer, type Status } from "./right_server.ts";
import type { Stranger } from "./stranger.ts";

/** How often a layer can be left in part before its bytes are lost. */
const RESUMES = 2;

class WornDisk extends Disk {
  readonly #timesLeft = new Map<string, number>();

  protected override end(download: Download, caller: Caller): void {
    super.end(download, caller);
    const { digest, size } = download.layer;
    if (this.kept.get(digest) === size) return;
    const times = (this.#timesLeft.get(digest) ?? 0) + 1;
    this.#timesLeft.set(digest, times);
    if (times > RESUMES) this.kept.delete(digest);
  }
}

class DiskByModel extends Disk {
  protected override keyOf({ digest }: Layer, caller: Caller): string {
    return `${caller.order.model.key} ${digest}`;
  }

  protected override end(download: Download, caller: Caller): void {
    const { digest } = download.layer;
    const before = this.kept.get(digest) ?? 0;
    super.end(download, caller);
    this.kept.set(digest, Math.max(before, this.kept.get(digest)!));
  }
}

class DiskWithLeader extends Disk {
  readonly #handedOver = new WeakSet<Download>();

  override leave(download: Download, caller: Caller): void {
    const [leader] = download.callers;
    const isInPart = this.bytesDownloaded(download) < download.layer.size;
    super.leave(download, caller);
    if (caller !== leader || download.callers.size === 0 || !isInPart) return;
    if (this.#handedOver.has(download)) this.#freeze(download);
    this.#handedOver.add(download);
  }

  #freeze(download: Download): void {
    download.from = this.bytesDownloaded(download);
    download.startedAt = this.clock.now();
    download.bytesPerMs = 0;
  }
}

class DropsPartsOfUnknown extends RightServer {
  protected override delete(model: ModelName): void {
    if (!this.installed.has(model.key)) {
      for (const layer of this.registry.manifestOf(model.key) ?? []) this.disk.remove(layer);
    }
    super.delete(model);
  }
}

class ResumesOldManifest extends RightServer {
  readonly #unfinished = new Map<string, readonly Layer[]>();

  protected override async manifestOf(caller: Caller): Promise<readonly Layer[]> {
    const { key } = caller.order.model;
    const layers = this.#unfinished.get(key) ?? await super.manifestOf(caller);
    this.#unfinished.set(key, layers);
    return layers;
  }

  protected override install(model: ModelName, layers: readonly Layer[]): boolean {
    this.#unfinished.delete(model.key);
    return super.install(model, layers);
  }
}

class SingleFollowsStream extends RightServer {
  /** How the pulls that stream end, by the key of the model: with a reason if they fail. */
  readonly #flights = new Map<string, Promise<string | undefined>>();

  protected override async *pull(caller: Caller): AsyncGenerator<Status, void, void> {
    const { isStreamed, model: { key } } = caller.order;
    if (!isStreamed) return yield* super.pull(caller);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#flights.set(key, promise);
    let reason: string | undefined = "context canceled";
    try {
      yield* super.pull(caller);
      reason = undefined;
    } catch (error) {
      if (!caller.left.aborted) reason = (error as Error).message;
      throw error;
    } finally {
      if (this.#flights.get(key) === promise) this.#flights.delete(key);
      resolve(reason);
    }
  }

  protected override async answerSingle(caller: Caller): Promise<WireAnswer> {
    const flight = this.#flights.get(caller.order.model.key);
    if (!flight) return await super.answerSingle(caller);
    const reason = await flight;
    if (reason !== undefined) throw new Refusal(500, reason);
    return jsonAnswer({ status: "success" });
  }
}

/** How long a part is kept, in milliseconds. */
const PART_LIVES_MS = 10_000;

class TidyDisk extends Disk {
  readonly #leftAt = new Map<string, number>();

  override bytesOf(layer: Layer, caller: Caller): number {
    const bytes = super.bytesOf(layer, caller);
    if (bytes >= layer.size || this.downloadOf(layer, caller)) return bytes;
    const age = this.clock.now() - (this.#leftAt.get(layer.digest) ?? 0);
    return age > PART_LIVES_MS ? 0 : bytes;
  }

  protected override end(download: Download, caller: Caller): void {
    super.end(download, caller);
    this.#leftAt.set(download.layer.digest, this.clock.now());
  }
}

/** The strangers of this kind. */
export const states: readonly Stranger[] = [
  {
    name: "loses a layer that is left in part for the third time",
    kind: "states",
    breaks: "spec: Cancelled pulls are resumed from where they left off",
    rule: "S-RESUME-1",
    how: "cancel a pull three times within one layer, and pull again: the layer starts at 0",
    make: (options) => new RightServer(options, { Disk: WornDisk }),
  },
  {
    name: "shares a download only with pulls of the same model",
    kind: "states",
    breaks: "spec: multiple calls will share the same download progress",
    rule: "S-SHARE-1",
    how: "pull two models with a common layer at once: each of them downloads it",
    make: (options) => new RightServer(options, { Disk: DiskByModel }),
  },
  {
    name: "hands a shared download over only once",
    kind: "states",
    breaks: "observed: a download is cancelled when its last caller leaves, and not before",
    rule: "S-LEAVE-1",
    how:
      "pull three times at once, and let the first caller leave, then the second: the third freezes",
    make: (options) => new RightServer(options, { Disk: DiskWithLeader }),
  },
  {
    name: "drops kept bytes when a model that is not there is deleted",
    kind: "states",
    breaks: "observed: a 404 of DELETE /api/delete touches nothing; bytes kept of a download stay",
    rule: "S-RESUME-1",
    how: "cancel a first pull, delete the model (404), and pull again: it starts at 0",
    make: (options) => new DropsPartsOfUnknown(options),
  },
  {
    name: "goes on with the manifest of the pull that was cancelled",
    kind: "states",
    breaks: "observed: the manifest is fetched at each pull",
    rule: "S-AGAIN-2",
    how: "cancel a pull, publish the model anew, and pull again: the old version is installed",
    make: (options) => new ResumesOldManifest(options),
  },
  {
    name: "lets a pull without a stream fail when the streamed one that it joined is cancelled",
    kind: "states",
    breaks: "observed: a download is cancelled when its last caller leaves, and not before",
    rule: "S-LEAVE-1",
    how: "pull with a stream, pull the same with `stream` false, and cancel the first: both fail",
    make: (options) => new SingleFollowsStream(options),
  },
  {
    name: "forgets what was kept of a layer after ten seconds",
    kind: "states",
    breaks: "spec: Cancelled pulls are resumed from where they left off",
    rule: "S-RESUME-1",
    how: "cancel a pull, and pull again later than ten seconds after: it starts at 0",
    make: (options) => new RightServer(options, { Disk: TidyDisk }),
  },
];
