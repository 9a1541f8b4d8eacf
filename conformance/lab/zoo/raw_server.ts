/**
 * A mock behind a socket whose answers are written by hand, so that HTTP itself can be violated.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { mockServer, type ServerSubject } from "../../server/subject.ts";
import { createWireFetch } from "../../server/wire/wire_fetch.ts";

/** Writes the head of an answer, its chunks, and its end. */
export type WriteEnd = (socket: Socket) => void;

const OTHER_TIME = "Its time is not that of the socket";

/** A request as it came. */
interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** The request in a text of bytes, once all of it is there. */
function requestIn(text: string): RawRequest | undefined {
  const end = text.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + HEAD_END.length);
  const [method = "", path = ""] = head.split(" ", 2);
  if (/^transfer-encoding: chunked$/im.test(head)) {
    return body.endsWith(LAST_CHUNK) ? { method, path, body: joinChunks(body) } : undefined;
  }
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  return body.length < length ? undefined : { method, path, body };
}

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

function joinChunks(text: string): string {
  const parts: string[] = [];
  for (let at = 0;;) {
    const start = text.indexOf("\r\n", at) + 2;
    const length = parseInt(text.slice(at, start), 16);
    if (!(length > 0)) return parts.join("");
    parts.push(text.slice(start, start + length));
    at = start + length + 2;
  }
}

/** A mock whose answers over a socket end in a custom way. */
export function rawServer(name: string, writeEnd: WriteEnd): ServerSubject {
  const inner = mockServer({ name });
  const fetchWire = createWireFetch()!;
  return {
    ...inner,
    // Its clock does not wait for data in transit.
    lacks: { fresh: OTHER_TIME, changes: OTHER_TIME, faults: OTHER_TIME },
    async open(setup) {
      const opened = await inner.open(setup);
      const server = createServer((socket) => {
        let text = "";
        socket.setEncoding("latin1"); // a character for each byte
        socket.on("error", () => {});
        socket.on("data", async (data) => {
          text += data;
          const request = requestIn(text);
          if (!request) return;
          const { method, path } = request;
          const body = Buffer.from(request.body, "latin1");
          text = "";
          const left = new AbortController();
          socket.once("close", () => left.abort());
          const init = { method, signal: left.signal, ...(body.length > 0 && { body }) };
          await answer(socket, await opened.fetch(path, init), writeEnd).catch(() => {});
        });
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return {
        ...opened,
        fetch: (path, init) => fetchWire(new URL(path, base), init),
        async close() {
          server.close();
          await opened.close();
        },
      };
    },
  };
}

async function answer(socket: Socket, response: Response, writeEnd: WriteEnd): Promise<void> {
  const fields = [...response.headers].filter(([name]) => name !== "content-length");
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `HTTP/1.1 ${response.status} \r\n${lines}Connection: close\r\n`;
  socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = await reader?.read() ?? { done: true };
    if (done) break;
    socket.write(`${value!.length.toString(16)}\r\n`);
    socket.write(value!);
    socket.write("\r\n");
  }
  writeEnd(socket);
}
