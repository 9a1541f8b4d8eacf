import { assert, assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { createWireFetch, wireOf } from "./wire_fetch.ts";

const fetchWire = createWireFetch()!;

/** Serves connections by hand while some work is done. */
async function serving(
  onConnection: (socket: Socket) => void,
  work: (url: URL) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await work(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/pull?a=b`));
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  }
}

/** Answers each request that ends as `until` says with the next of some answers. */
function answering(answers: string[], asked: string[], until = "\r\n\r\n") {
  return (socket: Socket) => {
    let request = "";
    socket.on("data", (data) => {
      request += data;
      if (!request.endsWith(until)) return;
      asked.push(request);
      request = "";
      const answer = answers.shift();
      if (answer === undefined) socket.destroy();
      else socket.write(answer);
    });
  };
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("a fetch on sockets of its own", () => {
  it("asks with the fields of every request, and gives the body without its framing", async () => {
    const asked: string[] = [];
    const answer = `${CHUNKED}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`;
    await serving(answering([answer], asked, "{}"), async (url) => {
      const init = { method: "POST", body: new TextEncoder().encode("{}") };
      const response = await fetchWire(url, init);
      assertEquals([response.status, await response.text()], [200, "abcde"]);
      assertEquals(wireOf(response)!.chunks.length, 2);
      const [head = "", body] = asked[0]!.split("\r\n\r\n");
      const [first, ...fields] = head.split("\r\n");
      assertEquals([first, body], ["POST /api/pull?a=b HTTP/1.1", "{}"]);
      assertEquals(fields, ["accept-encoding: identity", "content-length: 2", `host: ${url.host}`]);
    });
  });

  it("sends a body in pieces as chunks", async () => {
    const asked: string[] = [];
    await serving(answering([`${CHUNKED}0\r\n\r\n`], asked, "0\r\n\r\n"), async (url) => {
      const body = ReadableStream.from(
        ["ab", "", "c"].map((text) => new TextEncoder().encode(text)),
      );
      await (await fetchWire(url, { method: "POST", body })).text();
      assert(asked[0]!.endsWith("\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), asked[0]);
    });
  });

  it("undoes no coding", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x01";
    await serving(answering([answer], []), async (url) => {
      const response = await fetchWire(url);
      assertEquals(await response.text(), "\x1f\x01");
      assertEquals(response.headers.get("Content-Encoding"), "gzip");
    });
  });

  it("uses a connection again, and another one if the server has closed it", async () => {
    let connections = 0;
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    await serving((socket) => {
      connections++;
      let requests = 0;
      socket.on("data", () => ++requests === 2 ? socket.end(answer) : socket.write(answer));
    }, async (url) => {
      for (const expected of [1, 1, 2]) {
        assertEquals(await (await fetchWire(url)).text(), "x");
        assertEquals(connections, expected);
      }
    });
  });

  it("treats bytes sent on an idle connection as the next answer, unless it timed out", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    for (const status of [400, 408]) {
      let connections = 0;
      const [isRead, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await serving((socket) => {
        socket.on("close", ended.resolve);
        socket.once("data", () => {
          socket.write(answer);
          if (++connections > 1) return;
          // As a server does that takes the body of a request for another one.
          isRead.promise.then(() =>
            socket.end(`HTTP/1.1 ${status} x\r\nContent-Length: 0\r\n\r\n`)
          );
        });
      }, async (url) => {
        await (await fetchWire(url)).text();
        isRead.resolve();
        await ended.promise;
        assertEquals((await fetchWire(url)).status, status === 400 ? 400 : 200);
      });
    }
  });

  it("leaves a connection alone that carries another request, when an answer is not wanted", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    await serving(answering([answer, answer], []), async (url) => {
      const first = await fetchWire(url);
      const second = fetchWire(url);
      await first.body!.cancel();
      assertEquals(await (await second).text(), "x");
    });
  });

  it("treats bytes sent after an answer as the start of the next one", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    await serving((socket) => {
      socket.once("data", () => {
        socket.write(answer);
        socket.once("data", () => socket.write(`!\r\n${answer}`));
      });
    }, async (url) => {
      await (await fetchWire(url)).text();
      await assertRejects(() => fetchWire(url), TypeError, "The status line is malformed: !");
    });
  });

  const broken: [what: string, answer: string][] = [
    ["before the last chunk", `${CHUNKED}1\r\nx\r\n`],
    ["bytes before the end of the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx"],
  ];
  for (const [what, answer] of broken) {
    it(`breaks off where the connection ends ${what}`, async () => {
      await serving((socket) => socket.once("data", () => socket.end(answer)), async (url) => {
        const response = await fetchWire(url);
        const error = await assertRejects(() => response.text());
        assert(String(error).includes(what), String(error));
      });
    });
  }

  it("fails where the server ends the connection before it answers", async () => {
    await serving((socket) => socket.once("data", () => socket.end()), async (url) => {
      await assertRejects(() => fetchWire(url), TypeError, "before an answer");
    });
  });

  it("fails if nothing listens", async () => {
    await assertRejects(() => fetchWire(new URL("http://127.0.0.1:9/")));
  });

  it("closes the connection when its signal aborts, and when its body is not wanted", async () => {
    for (const leave of ["abort", "cancel"] as const) {
      let closed!: Promise<unknown>;
      const answer = `${CHUNKED}1\r\nx\r\n`;
      await serving((socket) => {
        closed = once(socket, "close");
        socket.once("data", () => socket.write(answer));
      }, async (url) => {
        const controller = new AbortController();
        const response = await fetchWire(url, { signal: controller.signal });
        if (leave === "cancel") await response.body!.cancel();
        else {
          const reading = assertRejects(() => response.text(), Error, "enough");
          controller.abort(new Error("enough"));
          await reading;
        }
        await closed;
      });
    }
  });
});
