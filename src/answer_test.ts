import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { chunkings, ndjsonBytes, pullSessions } from "../conformance/generators/mod.ts";
import { decodeProgress } from "./progress.ts";
import { decodePull } from "./pull_decoder.ts";
import {
  asPullError,
  describeFailure,
  lines,
  outcomeOf,
  pullErrorOf,
  rejectionOf,
  standingStill,
  streamOf,
  TestSource,
  utf8,
} from "./stream_test_helpers.ts";

const WAYS = {
  decodePull,
  decodeProgress: (source: Response | ReadableStream<Uint8Array>) =>
    decodeProgress(source, { now: standingStill }),
};

/** A response that says where it came from, as those of `fetch` do. */
function from(url: string, body: BodyInit, init?: ResponseInit, redirected = false): Response {
  const response = new Response(body, init);
  Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } });
  return response;
}

const HTML = { headers: { "Content-Type": "text/html; charset=utf-8" } };
const LOGIN = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>…</body></html>";

/** Answers that are no pull, and how they are described. */
const NO_PULLS: [body: string, what: string][] = [
  [LOGIN, 'a page titled "Log in"'],
  ["<html><body>\n<p>Nothing</p>", "a page without a title"],
  ["Ollama is running", '"Ollama is running"'],
  ["\n\nOllama is running\n", '"Ollama is running"'],
  ['{"object":"list","data":[]}', String.raw`"{\"object\":\"list\",\"data\":[]}"`],
  ['{"models":[]}\n{"models":[]}\n', String.raw`"{\"models\":[]}"`],
  ['{\n  "object": "list",\n  "data": []\n}\n', '"{"'],
  ["[]\n", '"[]"'],
  ["<p>not a page</p>\n", '"<p>not a page</p>"'],
  ["data: 5\n\n", '"data: 5"'],
];

describe("a response", () => {
  it("is decoded as its body is, however that is cut", async () => {
    const bodies = pullSessions({ endings: ["success", "error", "cut"] })
      .filter(({ statuses }) => statuses.some(({ status }) => status !== undefined))
      .chain(({ statuses }) => ndjsonBytes(statuses))
      .chain(chunkings);
    for (const decode of Object.values(WAYS)) {
      await fc.assert(fc.asyncProperty(bodies, async (chunks) => {
        const ofBody = await outcomeOf<unknown>(decode(streamOf(chunks)));
        const ofResponse = await outcomeOf<unknown>(decode(new Response(streamOf(chunks))));
        assertEquals(ofResponse.values, ofBody.values);
        assertEquals(describeFailure(ofResponse), describeFailure(ofBody));
      }));
    }
  });

  it("with an error status fails with its status, message and body", async () => {
    for (const decode of Object.values(WAYS)) {
      const body = { error: { message: "model 'x' not found", type: "api_error" } };
      const response = () => Response.json(body, { status: 404, statusText: "Not Found" });
      const error = await pullErrorOf(decode(response()) as ReadableStream<unknown>);
      assertEquals([error.code, error.status, error.reason], ["http", 404, "model-not-found"]);
      assertEquals(error.message, "HTTP 404 Not Found: model 'x' not found");
      assertEquals(error.body, body);
    }
  });

  it("says when to try again, if the server asks for that", async () => {
    const response = new Response("", { status: 429, headers: { "Retry-After": "30" } });
    const error = await pullErrorOf(decodePull(response));
    assertEquals([error.reason, error.retryable, error.retryAfterMs], [
      "rate-limited",
      true,
      30_000,
    ]);
  });

  it("without a body is an empty one", async () => {
    const { values, failure } = await outcomeOf(decodePull(new Response(null, { status: 204 })));
    assertEquals([values, failure], [[], undefined]);
    const error = await pullErrorOf(decodeProgress(new Response(null)));
    assertEquals([error.code, error.retryable], ["truncated", true]);
  });

  it("is locked at once, and cancelled with the stream", async () => {
    const source = new TestSource(utf8(lines({ status: "pulling manifest" })));
    const response = new Response(source.stream);
    const stream = decodePull(response);
    assert(response.body?.locked);
    await stream.cancel("enough");
    assertEquals(source.cancels, ["enough"]);
  });

  it("that was already read is rejected", async () => {
    const response = new Response("");
    await response.text();
    let refused: unknown;
    try {
      decodePull(response);
    } catch (error) {
      refused = error;
    }
    assert(refused instanceof TypeError);
  });

  it("fails as its body fails, after delivering what came before", async () => {
    const source = new TestSource(utf8(lines({ status: "pulling manifest" })));
    const reader = decodePull(new Response(source.stream)).getReader();
    assertEquals((await reader.read()).value?.kind, "manifest");
    const reason = new TypeError("reset");
    source.fail(reason);
    assertStrictEquals(await rejectionOf(reader.read()), reason);
  });
});

describe("a response of server-sent events", () => {
  const EVENTS = { headers: { "Content-Type": "text/event-stream; charset=utf-8" } };

  it("is decoded as the lines in its events are, however it is cut", async () => {
    const sessions = pullSessions({ endings: ["success", "error"] })
      .filter(({ statuses }) => statuses.length > 0);
    const cut = sessions.chain(({ statuses }) => {
      const events = statuses.map((status) => `data: ${JSON.stringify(status)}\n\n`).join("");
      return chunkings(utf8(events)).map((chunks) => ({ statuses, chunks }));
    });
    for (const decode of Object.values(WAYS)) {
      await fc.assert(fc.asyncProperty(cut, async ({ statuses, chunks }) => {
        const ofEvents = await outcomeOf<unknown>(decode(new Response(streamOf(chunks), EVENTS)));
        const ofLines = await outcomeOf<unknown>(decode(new Response(lines(...statuses))));
        assertEquals(ofEvents.values.at(-1), ofLines.values.at(-1));
        assertEquals(describeFailure(ofEvents), describeFailure(ofLines));
      }));
    }
  });

  it("means a wrong address if its events are not those of a pull", async () => {
    const chat = 'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n';
    const error = await pullErrorOf(decodePull(new Response(chat, EVENTS)));
    assertEquals(error.reason, "wrong-address");
  });

  it("that is cut is truncated", async () => {
    const error = await pullErrorOf(decodeProgress(new Response('data: {"status":"pul', EVENTS)));
    assertEquals(error.code, "truncated");
  });
});

describe("an answer that is not a pull", () => {
  it("means a wrong address, and the error says what came and from where, however it is cut", async () => {
    const anyOf = fc.constantFrom(...NO_PULLS);
    const cut = anyOf.chain(([body, what]) =>
      chunkings(utf8(body)).map((chunks) => ({ chunks, what }))
    );
    for (const decode of Object.values(WAYS)) {
      await fc.assert(
        fc.asyncProperty(cut, async ({ chunks, what }) => {
          const url = "http://user:secret@host:8080/api/pull?key=secret";
          const { failure } = await outcomeOf<unknown>(decode(from(url, streamOf(chunks), HTML)));
          const error = asPullError(failure?.error);
          assertEquals([error.code, error.reason], ["malformed", "wrong-address"]);
          assertEquals([error.retryable, error.status], [false, 200]);
          assertEquals(
            error.message,
            `The answer of http://***@host:8080/api/pull is not a pull, but ${what} (text/html; charset=utf-8)`,
          );
        }),
      );
    }
  });

  it("means a wrong address even if malformed lines are skipped", async () => {
    for (const [body] of NO_PULLS) {
      const error = await pullErrorOf(decodePull(new Response(body), { onMalformed: "skip" }));
      assertEquals(error.reason, "wrong-address", body);
    }
  });

  it("names the address to which the request was redirected", async () => {
    const error = await pullErrorOf(decodePull(from("https://b/login?next=x", LOGIN, HTML, true)));
    assertStringIncludes(
      error.message,
      "(from https://b/login, to which the request was redirected)",
    );
    const missing = from("https://b/api/pull", "", { status: 405 }, true);
    const failed = await pullErrorOf(decodePull(missing));
    assertMatch(failed.message, /^HTTP 405 \(from https:\/\/b\/api\/pull, to which/);
  });

  it("is reported as soon as its title has arrived, even if the page goes on", async () => {
    const source = new TestSource(utf8(LOGIN));
    const error = await pullErrorOf(decodePull(new Response(source.stream)));
    assertStringIncludes(error.message, "Log in");
    assertEquals(source.cancels.length, 1);
    const endless = new TestSource(...Array(50).fill(utf8(`<html>${" ".repeat(1000)}`)));
    assertEquals(
      (await pullErrorOf(decodePull(new Response(endless.stream)))).reason,
      "wrong-address",
    );
    assert(endless.reads < 10, `${endless.reads} reads`);
  });

  it("is not assumed if a pull breaks off, or has a bad line", async () => {
    const bodies: [body: string, code: string][] = [
      ['{"status":"pul', "truncated"],
      ["{", "truncated"],
      ["", "truncated"],
      [" \n\n", "truncated"],
      ['{"status":"pulling manifest"}\n<html>\n', "malformed"],
      ['{"status":"pulling manifest"}\n{"a":1}\n', "truncated"],
      ["{]\n", "malformed"],
      [`${"x".repeat(2_000_000)}\n`, "line-too-long"],
    ];
    for (const [body, code] of bodies) {
      const error = await pullErrorOf(decodeProgress(new Response(body)));
      assertEquals([error.code, error.reason], [code, undefined], body.slice(0, 50));
    }
  });
});

describe("an object that is spread over several lines", () => {
  it("is read as if it were on one line, however it is cut", async () => {
    const spread = fc.record({
      object: fc.record({ status: fc.string(), extra: fc.jsonValue() }),
      indent: fc.constantFrom(1, 2, "\t"),
      newline: fc.constantFrom("\n", "\r\n"),
      end: fc.constantFrom("", "\n", " \n\n"),
    }).chain(({ object, indent, newline, end }) => {
      const text = JSON.stringify(object, undefined, indent).replaceAll("\n", newline) + end;
      return chunkings(utf8(text)).map((chunks) => ({ object, chunks }));
    });
    await fc.assert(fc.asyncProperty(spread, async ({ object, chunks }) => {
      const spreadOut = await outcomeOf(decodePull(new Response(streamOf(chunks))));
      const onOneLine = await outcomeOf(decodePull(streamOf([utf8(lines(object))])));
      assertEquals(spreadOut, onOneLine);
    }));
  });

  it("may be an error or the success", async () => {
    const failed = JSON.stringify({ error: { message: "no space left on device" } }, undefined, 2);
    const error = await pullErrorOf(decodeProgress(new Response(failed)));
    assertEquals([error.code, error.reason], ["server", "disk-full"]);
    const success = JSON.stringify({ status: "success" }, undefined, 2);
    const { values } = await outcomeOf(decodeProgress(new Response(success)));
    assertEquals(values.map(({ phase }) => phase), ["success"]);
  });

  it("must not be longer than a line may be", async () => {
    const source = new TestSource(utf8("{\n"), ...Array(100).fill(utf8('"a":5,\n')));
    const error = await pullErrorOf(decodePull(new Response(source.stream), { maxLineBytes: 50 }));
    assertEquals(error.code, "line-too-long");
    assert(source.reads < 12, `${source.reads} reads`);
  });
});
