import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  chunkings,
  hostileLines,
  pullSessions,
  statusObjects,
} from "../conformance/generators/mod.ts";
import { NdjsonDecoder } from "./ndjson.ts";
import { ProgressDecoder } from "./progress.ts";
import { decodePull, PullDecoder } from "./pull_decoder.ts";
import { EventDecoder, fromEvents, isEventStream } from "./server_sent_events.ts";
import { streamFrom } from "./streams/pull_stream.ts";
import {
  asPullError,
  lines,
  outcomeOf,
  pullErrorOf,
  resultOf,
  standingStill,
  streamOf,
  TestSource,
  utf8,
} from "./stream_test_helpers.ts";

/** The rules of the HTML standard, of a whole text at once: the data of each event, and what is left. */
function readEvents(text: string): { events: string[]; rest: string } {
  const events: string[] = [];
  let data: string[] = [];
  const all = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  if (!all.at(-1)!.includes(":")) all.pop(); // it is not ended, and not known to be a field
  for (const line of all) {
    if (line === "") {
      if (data.length > 0) events.push(data.join("\r"));
      data = [];
      continue;
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line)!;
    if (name === "data") data.push(value === "[DONE]" ? "" : value);
  }
  return { events, rest: data.join("\r") };
}

/** What the decoder makes of chunks. */
async function decodeEvents(chunks: Iterable<Uint8Array<ArrayBuffer>>): Promise<string> {
  const output: Uint8Array<ArrayBuffer>[] = [];
  const decoder = new EventDecoder();
  const emit = (bytes: Uint8Array) => void output.push(new Uint8Array(bytes));
  for (const chunk of chunks) decoder.push(chunk, emit);
  decoder.end(emit);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await new Blob(output).bytes());
}

/** Texts of all that means something in an event stream. */
const anyText = fc.array(
  fc.constantFrom(
    ...["data: ", "data:", "data", "datum: ", "dat", "a", ":", " ", "event: x", "id", "retry: 5"],
    ...["[DONE]", "[DON", "[", "{}", '{"a":1}', "größe 😀", "\ufeff", "\u0000"],
    ...["\n", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n"],
  ),
  { maxLength: 40, size: "max" },
).map((parts) => parts.join(""));

/** Lines of a pull as events, in any of the ways that the standard allows. */
function asEvents(all: readonly string[]): fc.Arbitrary<string> {
  const event = fc.record({
    before: fc.constantFrom("", ": ping", "event: message", "id: 5", "retry: 100", "unknown"),
    name: fc.constantFrom("data:", "data: "),
    newline: fc.constantFrom("\n", "\r", "\r\n"),
  });
  return fc.tuple(fc.constantFrom("", "\ufeff"), ...all.map(() => event)).map(([mark, ...events]) =>
    mark + events.map(({ before, name, newline }, index) => {
      const comment = before === "" ? "" : before + newline;
      return `${comment}${name}${all[index]}${newline}${newline}`;
    }).join("")
  );
}

const anyLines = fc.oneof(
  pullSessions({ maxLayers: 2, endings: ["success", "error", "cut"] })
    .map(({ statuses }) => statuses.map((status) => JSON.stringify(status))),
  fc.array(fc.oneof(
    statusObjects().map((object) => JSON.stringify(object)),
    // What begins with a space would lose it, if no other comes before.
    hostileLines().filter((line) => !/^ |[\r\n]/.test(line)),
  )),
);

describe("EventDecoder", () => {
  it("reads any text, cut anywhere, by the rules of the standard", async () => {
    const texts = anyText.chain((text) => fc.tuple(fc.constant(text), chunkings(utf8(text))));
    await fc.assert(
      fc.asyncProperty(texts, async ([text, chunks]) => {
        const { events, rest } = readEvents(text);
        assertEquals(await decodeEvents(chunks), events.map((data) => `${data}\n`).join("") + rest);
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives the same statuses as the same lines in NDJSON, however they are sent", async () => {
    const arrivals = anyLines.chain((all) =>
      fc.tuple(fc.constant(all), asEvents(all).chain((text) => chunkings(utf8(text))))
    );
    await fc.assert(fc.asyncProperty(arrivals, async ([all, chunks]) => {
      const decoder = fromEvents(new PullDecoder({}, {}, "copies"));
      const ndjson = streamOf([utf8(all.map((line) => `${line}\n`).join(""))]);
      assertEquals(
        await resultOf(streamFrom(streamOf(chunks), decoder)),
        await resultOf(decodePull(ndjson)),
      );
    }));
  });

  it("joins data of several lines into one value, as if with newlines", async () => {
    const text = 'data: {"status":\ndata: "success",\ndata\ndata:"a":\ndata:  "b"}\n\n';
    assertEquals(await valuesOf(text), [{ status: "success", a: "b" }]);
    const broken = 'data: {"status":"suc\ndata: cess"}\n\n'; // JSON has no newline in a string
    assertEquals((await failureOf(broken)).code, "malformed");
  });

  it("skips events without data, and the end mark", async () => {
    const text = ': hello\n\nevent: ping\n\ndata: {"a":1}\n\ndata:\n\ndata: [DONE]\n\n';
    assertEquals(await valuesOf(text), [{ a: 1 }]);
    assertEquals((await failureOf("data: [DONE]!\n\n")).excerpt, "[DONE]!");
  });

  it("takes data at the end as the last line, whole or cut", async () => {
    for (const end of ["", "\n", "\r", "\r\n"]) {
      assertEquals(await valuesOf(`data: {"a":1}\n\ndata: {"b":2}${end}`), [{ a: 1 }, { b: 2 }]);
    }
    for (const cut of ["data: [", "data: [DON", 'data: {"b":']) {
      assertEquals((await failureOf(`data: {"a":1}\n\n${cut}`)).code, "truncated");
    }
  });

  it("numbers lines by event", async () => {
    const { code, line } = await failureOf('data: {"a":1}\n\n: x\ndata: <html>\n\n');
    assertEquals([code, line], ["malformed", 2]);
  });

  it("emits the output of a chunk at once", () => {
    const output: string[] = [];
    const decoder = new EventDecoder();
    const chunks = ["data: {}\n\ndata: {}\n", "\nda", "ta: [D", "x", "\n: ping\n", "\n\n"];
    for (const chunk of chunks) {
      decoder.push(utf8(chunk), (bytes) => void output.push(new TextDecoder().decode(bytes)));
    }
    assertEquals(output, ["{}\n{}", "\n", "[Dx", "\n"]);
  });

  it("holds nothing of an endless comment, nor of endless data", () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x78);
    const decoder = new EventDecoder();
    let length = 0;
    const emit = (bytes: Uint8Array) => void (length += bytes.length);
    decoder.push(utf8(": "), emit);
    for (let count = 0; count < 100; count++) decoder.push(chunk, emit);
    assertEquals(length, 0);
    decoder.push(utf8("\ndata: "), emit);
    for (let count = 1; count <= 100; count++) {
      decoder.push(chunk, emit);
      assertEquals(length, count * chunk.length);
    }
  });
});

describe("fromEvents", () => {
  it("applies the limit of a line to the data of an event", async () => {
    const chunk = new Uint8Array(64 * 1024).fill(0x20);
    const source = new TestSource<Uint8Array>(
      utf8("data: {}\n\ndata: "),
      ...Array(1600).fill(chunk),
    );
    const decoder = fromEvents(new NdjsonDecoder({}));
    const { values, failure } = await outcomeOf(streamFrom(source.stream, decoder));
    const { code, line } = asPullError(failure?.error);
    assertEquals([values, code, line], [[{}], "line-too-long", 2]);
    assert(source.reads < 25, `${source.reads} reads`);
  });

  it("gives progress once per chunk", async () => {
    const layer = (completed: number) => ({ digest: "sha256:aaaa", total: 9, completed });
    const events = (...objects: object[]) =>
      utf8(lines(...objects).replaceAll(/^(.*)\n/gm, "data: $1\n\n"));
    const chunks = [events(layer(1), layer(2)), events(layer(3)), events({ status: "success" })];
    const decoder = fromEvents(new ProgressDecoder({ now: standingStill }));
    const { values } = await outcomeOf(streamFrom(streamOf(chunks), decoder));
    assertEquals(values.map(({ phase, completed }) => [phase, completed]), [
      ["downloading", 1],
      ["downloading", 2],
      ["downloading", 3],
      ["success", 9],
    ]);
  });
});

describe("isEventStream", () => {
  it("knows the media type, with parameters and in any case", () => {
    for (
      const type of ["text/event-stream", "Text/Event-Stream;charset=utf-8", "text/event-stream ;"]
    ) {
      assert(isEventStream(type), type);
    }
    for (
      const type of [null, "", "application/x-ndjson", "text/event-streams", "x-text/event-stream"]
    ) {
      assert(!isEventStream(type), `${type}`);
    }
  });
});

function decode(text: string): ReadableStream<unknown> {
  return streamFrom(streamOf([utf8(text)]), fromEvents(new NdjsonDecoder({})));
}

async function valuesOf(text: string): Promise<unknown[]> {
  const { values, failure } = await outcomeOf(decode(text));
  assertEquals(failure, undefined);
  return values;
}

function failureOf(text: string) {
  return pullErrorOf(decode(text));
}
