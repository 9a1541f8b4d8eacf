/**
 * Strangers whose values are right, and whose bytes are not.
 *
 * @module
 */

import { gzipSync } from "node:zlib";
import type { Caller } from "./caller.ts";
import { Connection, type RequestHead, type WireAnswer, type WireRequest } from "./connection.ts";
import { RightServer, type Status } from "./right_server.ts";
import type { Stranger } from "./stranger.ts";

class WritesFloats extends RightServer {
  protected override encode(status: Status): string {
    const text = super.encode(status);
    return status.completed === status.total ? text.replace(/(?<=\d)\}$/, ".0}") : text;
  }
}

class ZipsSingleObjects extends RightServer {
  protected override async route(request: WireRequest, left: AbortSignal): Promise<WireAnswer> {
    const answer = await super.route(request, left);
    const { body, type } = answer;
    if (typeof body !== "string" || !type.startsWith("application/json")) return answer;
    return { ...answer, headers: { "Content-Encoding": "gzip" }, body: gzipSync(body) };
  }
}

class HoldsBackLaterLayers extends RightServer {
  protected override async *linesOf(caller: Caller): AsyncGenerator<string, void, void> {
    let held = "";
    let [first, last]: (string | undefined)[] = [];
    for await (const line of super.linesOf(caller)) {
      const digest = /"digest":"([^"]+)"/.exec(line)?.[1];
      if (digest !== last && held) {
        yield held;
        held = "";
      }
      last = digest;
      first ??= digest;
      if (digest === undefined || digest === first) yield line;
      else held += line;
    }
  }
}

class ConnectionWithFastPath extends Connection {
  #downloads = false;

  protected override async writePieces(
    pieces: AsyncIterable<string>,
    isChunked: boolean,
  ): Promise<boolean> {
    this.#downloads = false;
    return await super.writePieces(this.#watch(pieces), isChunked);
  }

  async *#watch(pieces: AsyncIterable<string>): AsyncGenerator<string, void, void> {
    for await (const piece of pieces) {
      const [, total, completed] = /"total":(\d+)(?:,"completed":(\d+))?/.exec(piece) ?? [];
      if (total !== completed || piece.startsWith('{"error"')) this.#downloads = true;
      yield piece;
    }
  }

  protected override async endChunks(): Promise<boolean> {
    return this.#downloads && await super.endChunks();
  }
}

class ConnectionThatCountsCharacters extends Connection {
  protected override lengthOf(body: string | Uint8Array): number {
    return body.length;
  }
}

class ConnectionThatLeavesBodies extends Connection {
  protected override async readBody(head: RequestHead): Promise<Uint8Array | undefined> {
    const reads = ["POST /api/pull", "DELETE /api/delete"];
    const path = head.target.split("?")[0]!;
    if (reads.includes(`${head.method} ${path}`)) return await super.readBody(head);
    return new Uint8Array();
  }
}

/** The strangers of this kind. */
export const bytes: readonly Stranger[] = [
  {
    name: "writes the bytes of a whole layer as a float",
    kind: "bytes",
    breaks: "spec: total and completed are integers, as in 2142590208 and 241970",
    rule: "S-DOWN-1",
    how: "pull with a client in Go, Rust or Java: 27000123.0 does not go into an integer",
    make: (options) => new WritesFloats(options),
  },
  {
    name: "compresses single objects whether the client asked for it or not",
    kind: "bytes",
    breaks:
      "RFC 9110, 12.5.3: `identity` alone, or an Accept-Encoding without gzip, rules gzip out",
    how:
      "pull with `stream` false from Python's urllib, which sends `identity`: it cannot read the answer",
    make: (options) => new ZipsSingleObjects(options),
  },
  {
    name: "holds back the objects of every layer but the first until it is whole",
    kind: "bytes",
    breaks: "observed: one object per tick of 60 ms, flushed line by line",
    rule: "S-FRAME-5",
    how: "pull a model whose second layer is large: the display stands still, and then jumps",
    make: (options) => new HoldsBackLaterLayers(options),
  },
  {
    name: "closes the connection without the last chunk when nothing was downloaded",
    kind: "bytes",
    breaks: "RFC 9112, 8: a chunked message without its zero-sized chunk is incomplete",
    how: "pull a model that is there: the client sees `success`, and then a broken connection",
    make: (options) => new RightServer(options, { Connection: ConnectionWithFastPath }),
  },
  {
    name: "takes the number of characters for the Content-Length",
    kind: "bytes",
    breaks: "RFC 9110, 8.6: Content-Length is a number of bytes",
    how:
      "be refused with a message in which a letter is not ASCII: its end, and the `}`, are cut off",
    make: (options) => new RightServer(options, { Connection: ConnectionThatCountsCharacters }),
  },
  {
    name: "leaves the body of a refused request for the next request on the connection",
    kind: "bytes",
    breaks: "RFC 9112, 9.3: a server must read the whole body, or close the connection",
    rule: "S-ERR-11",
    how: "send a body to a wrong path or with a wrong method: the next request gets a 400",
    make: (options) => new RightServer(options, { Connection: ConnectionThatLeavesBodies }),
  },
];
