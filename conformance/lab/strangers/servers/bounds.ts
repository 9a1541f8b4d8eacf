/**
 * Strangers that do too much, too early or too often, where rules look for too little, too late or never.
 *
 * @module
 */

import type { Caller } from "./caller.ts";
import { Disk, type Download } from "./disk.ts";
import type { Layer } from "./registry.ts";
import { type InstalledModel, RightServer, type Status, TICK_MS } from "./right_server.ts";
import type { Stranger } from "./stranger.ts";

class OneModelAtATime extends RightServer {
  readonly #downloading = new Set<Caller>();

  protected override async *download(layer: Layer, caller: Caller) {
    while (this.#isBusyWithAnother(caller)) await caller.sleep(TICK_MS);
    this.#downloading.add(caller);
    yield* super.download(layer, caller);
  }

  #isBusyWithAnother({ order }: Caller): boolean {
    for (const each of this.#downloading) {
      if (!this.running.has(each)) this.#downloading.delete(each);
    }
    return [...this.#downloading].some((each) => each.order.model.key !== order.model.key);
  }
}

class DiskThatMiscounts extends Disk {
  readonly #shared = new WeakSet<Download>();

  override join(layer: Layer, caller: Caller): Download {
    const download = super.join(layer, caller);
    if (download.callers.size > 1) this.#shared.add(download);
    return download;
  }

  protected override end(download: Download, caller: Caller): void {
    const isWhole = this.bytesDownloaded(download) >= download.layer.size;
    if (isWhole || !this.#shared.has(download)) super.end(download, caller);
  }

  override remove(layer: Layer): void {
    super.remove(layer);
    for (const [key, { layer: { digest }, callers }] of this.downloads) {
      if (digest === layer.digest && callers.size === 0) this.downloads.delete(key);
    }
  }
}

/** How many parts a layer has. */
const PARTS = 4;

class DiskOfParts extends Disk {
  protected override end(download: Download, caller: Caller): void {
    super.end(download, caller);
    const { digest, size } = download.layer;
    const partBytes = Math.ceil(size / PARTS);
    const parts = Math.ceil((this.kept.get(digest) ?? 0) / partBytes);
    this.kept.set(digest, Math.min(size, parts * partBytes));
  }
}

class DiskThatCountsPerCaller extends Disk {
  override bytesReported(layer: Layer, caller: Caller): number {
    const bytes = this.bytesOf(layer, caller);
    const download = this.downloadOf(layer, caller);
    if (!download) return bytes;
    const counted = (bytes - download.from) * download.callers.size;
    return Math.min(layer.size, download.from + counted);
  }
}

class ListsTooEarly extends RightServer {
  protected override listed(): ReadonlyMap<string, InstalledModel> {
    const early = [...this.running].filter(([, layers]) => layers.length > 0)
      .map(([{ order }, layers]) => [order.model.key, { name: order.model, layers }] as const);
    return new Map([...early, ...this.installed]);
  }
}

class KeepsTickers extends RightServer {
  readonly #tickers = new Map<string, number>();

  protected override async *download(layer: Layer, caller: Caller): AsyncGenerator<Status> {
    const { digest, size } = layer;
    const tickers = 1 + (this.#tickers.get(digest) ?? 0);
    let isInPart = false;
    try {
      for await (const status of super.download(layer, caller)) {
        isInPart = (status.completed ?? 0) < size;
        for (let ticker = 0; ticker < (isInPart ? tickers : 1); ticker++) yield status;
      }
    } finally {
      if (isInPart) this.#tickers.set(digest, tickers);
    }
  }
}

/** The strangers of this kind. */
export const bounds: readonly Stranger[] = [
  {
    name: "lets the pull of another model wait until the first one has ended",
    kind: "bounds",
    breaks:
      "observed: a layer on disk sends one line, and one that is downloaded a line per tick of 60 ms",
    how:
      "pull a large model, and meanwhile one that is there or small: it shows nothing until then",
    make: (options) => new OneModelAtATime(options),
  },
  {
    name: "goes on with a download that was shared when nobody is left",
    kind: "bounds",
    breaks: "observed: a shared download is cancelled when the last caller leaves",
    how: "pull twice at once, cancel both, and come back: more is there than when they left",
    make: (options) => new RightServer(options, { Disk: DiskThatMiscounts }),
  },
  {
    name: "resumes a layer at the end of the part in which it was left",
    kind: "bounds",
    breaks: "spec: Cancelled pulls are resumed from where they left off",
    rule: "S-RESUME-1",
    how: "cancel a pull, and pull again at once: up to a quarter of the layer is skipped, a hole",
    make: (options) => new RightServer(options, { Disk: DiskOfParts }),
  },
  {
    name: "counts the bytes of a shared download once for each caller",
    kind: "bounds",
    breaks: "spec: multiple calls will share the same download progress",
    rule: "S-SHARE-1",
    how: "pull twice at once: progress doubles, stands at the total, and falls when one leaves",
    make: (options) => new RightServer(options, { Disk: DiskThatCountsPerCaller }),
  },
  {
    name: "lists a model while it is still downloaded",
    kind: "bounds",
    breaks: "spec: writing manifest comes after all the files are downloaded; " +
      "observed: GET /api/tags lists the models pulled",
    how:
      "start a first pull, and look at /api/tags: an app takes the model for ready, and loads it",
    make: (options) => new ListsTooEarly(options),
  },
  {
    name: "keeps the ticker of each pull that left a layer in part",
    kind: "bounds",
    breaks: "observed: one object per tick of 60 ms",
    how: "cancel a pull some times, and pull again: each object comes once more for each of them",
    make: (options) => new KeepsTickers(options),
  },
];
