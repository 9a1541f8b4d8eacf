/**
 * Strangers that are right when they are asked as the suite asks, and wrong with other right requests.
 *
 * @module
 */

import { Connection, type RequestHead, type WireAnswer, type WireRequest } from "./connection.ts";
import { type Fields, RightServer } from "./right_server.ts";
import type { Stranger } from "./stranger.ts";

class ConnectionWithoutExpectations extends Connection {
  protected override async meetExpectation(): Promise<boolean> {
    await this.send(
      "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    return false;
  }
}

class ConnectionThatReadsOnce extends Connection {
  protected override async readBody(head: RequestHead): Promise<Uint8Array | undefined> {
    const length = Number(head.headers.get("content-length") ?? 0);
    if (length === 0) return await super.readBody(head);
    const piece = await this.inbox.readSome(length);
    // The rest is read, too, but dropped: the connection is in order.
    return piece && await this.inbox.read(length - piece.length) && piece;
  }
}

/** What a framework for web pages takes for the largest body, in bytes. */
const LARGEST_BODY = 100 * 1024;

class RefusesLargeBodies extends RightServer {
  protected override async route(request: WireRequest, left: AbortSignal): Promise<WireAnswer> {
    if (request.body.length <= LARGEST_BODY) return await super.route(request, left);
    return { status: 413, type: "text/html", body: "<h1>Payload Too Large</h1>" };
  }
}

class TakesNullForFalse extends RightServer {
  protected override wantsStream(fields: Fields): boolean {
    return fields.stream === undefined || fields.stream === true;
  }
}

class PrefersName extends RightServer {
  protected override nameIn({ model, name }: Fields): string {
    return `${name || model || ""}`;
  }
}

class ConnectionWithoutChunks extends Connection {
  protected override async readBody(head: RequestHead): Promise<Uint8Array | undefined> {
    const body = await super.readBody(head);
    return body && head.headers.has("transfer-encoding") ? new Uint8Array() : body;
  }
}

/** The strangers of this kind. */
export const requests: readonly Stranger[] = [
  {
    name: "refuses `Expect: 100-continue`",
    kind: "requests",
    breaks:
      "RFC 9110, 10.1.1: a server that gets 100-continue sends 100 or a final answer of the " +
      "request; 417 is for an expectation that it does not know",
    how: "pull with a client that announces its body, as curl does with a large one and .NET can",
    make: (options) => new RightServer(options, { Connection: ConnectionWithoutExpectations }),
  },
  {
    name: "takes what arrives first for all of the body",
    kind: "requests",
    breaks: "RFC 9112, 6.3: the length of a body is its Content-Length, however it is cut up",
    rule: "S-REQ-8",
    how:
      "pull over a slow line, or with a body of some pieces: 400, as for a body that is not JSON",
    make: (options) => new RightServer(options, { Connection: ConnectionThatReadsOnce }),
  },
  {
    name: "refuses bodies of more than 100 KiB",
    kind: "requests",
    breaks: "Clients of other versions send other fields, whatever their size",
    rule: "S-REQ-7",
    how: "pull with an app that sends along what it has, such as a picture: 413, with a page",
    make: (options) => new RefusesLargeBodies(options),
  },
  {
    name: "takes `stream` null for false",
    kind: "requests",
    breaks:
      "spec: If stream is not specified, or set to true, a stream of JSON objects is returned",
    rule: "S-REQ-1",
    how: "pull with a client that writes absent options as null: no progress until the end",
    make: (options) => new TakesNullForFalse(options),
  },
  {
    name: "prefers `name` where both names are given",
    kind: "requests",
    breaks: "observed: `name` is used when `model` is absent or empty, and only then",
    rule: "S-REQ-8",
    how:
      "pull with an app that sends `model`, and in `name` what it calls it: another model, or none",
    make: (options) => new PrefersName(options),
  },
  {
    name: "takes a request in chunks for one without a body",
    kind: "requests",
    breaks: "RFC 9112, 7.1: a recipient must be able to parse the chunked transfer coding",
    rule: "S-REQ-8",
    how: "pull with a client that streams its body, as Node does without a length: 400",
    make: (options) => new RightServer(options, { Connection: ConnectionWithoutChunks }),
  },
];
