import { assert, assertEquals, assertNotEquals, assertStringIncludes, equal } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { check, checkSeparateStreams, Finding } from "./checks.ts";
import { checkConversation, makeConversation } from "./conversations.ts";
import { readCorpus } from "./corpus.ts";
import { Dice } from "./dice.ts";
import { fuzz } from "./fuzz.ts";
import { chunksOf, type Input, makeInput, plainInput } from "./inputs.ts";
import { isSame } from "./reference.ts";
import { withoutNeedless } from "./shrink.ts";
import { toBytes, toText } from "./text.ts";

const corpus = await readCorpus();

const SEED = 20_260;
const LINES = 20_000;

/** Longer inputs are not split at every byte. */
const MAX_SPLIT_BYTES = 600;

/** Every way in which bytes are decoded, in one chunk. */
function everyWay(bytes: Input["bytes"]): Input[] {
  const ways = ["decodePull", "decodeProgress"] as const;
  return ways.flatMap((through) =>
    (["tell", "skip", "error"] as const).flatMap((onMalformed) =>
      [undefined, Infinity, 40].map((maxLineBytes) => ({
        ...plainInput(bytes, through),
        onMalformed,
        maxLineBytes,
      }))
    )
  );
}

describe("the corpus", () => {
  for (const { name, bytes } of corpus.files) {
    it(`decodes like the reference decoder: ${name}`, async () => {
      const firstBytes = Array.from({ length: Math.min(bytes.length, 500) }, (_, at) => at);
      for (const input of everyWay(bytes)) {
        await check(input);
        await checkSeparateStreams(input);
        await check({ ...input, cuts: firstBytes });
      }
      if (bytes.length > MAX_SPLIT_BYTES) return;
      for (let at = 0; at <= bytes.length; at++) {
        await check({ ...plainInput(bytes, "decodePull"), cuts: [at] });
        await check({ ...plainInput(bytes, "decodeProgress"), cuts: [at] });
      }
    });
  }

  it("has what real servers have sent, and lines that are JSON and lines that are not", () => {
    assert(corpus.sessions.length > 50);
    assert(corpus.lines.includes('{"status":"success"}'));
    assert(corpus.lines.some((line) => line.startsWith("<html>")));
  });
});

describe("the fuzzer", () => {
  it(`finds nothing in ${LINES} lines`, async () => {
    const isEnough = ({ lines }: { lines: number }) => lines >= LINES;
    const { count, failure } = await fuzz({ corpus, seed: SEED, isEnough });
    assertEquals(failure, undefined);
    assert(count.requests > 0 && count.bytes > LINES);
  });

  it("finds nothing in 200 conversations with the mock", async () => {
    for (let number = 0; number < 200; number++) {
      const conversation = makeConversation(new Dice(SEED, number));
      try {
        await checkConversation(conversation);
      } catch (error) {
        throw new Error(JSON.stringify(conversation), { cause: error });
      }
    }
  });

  it("does not report what the protocol answers with HTTP 500", async () => {
    const conversation = { dialect: "v0.33", seed: SEED, faulty: false } as const;
    for (const path of ["/api/pull", "/api/push"]) {
      const body = '{"model":"unknown","stream":false}';
      const requests = [{ method: "POST", path, headers: {}, body }];
      await checkConversation({ ...conversation, requests });
    }
  });

  it("makes what it finds as small as it can be, in one chunk, with plain options", async () => {
    const checkInput = ({ bytes }: Input): Promise<void> => {
      const text = toText(bytes);
      const isFound = text.includes('"total"') && text.indexOf("\n") !== text.lastIndexOf("\n");
      return isFound ? Promise.reject(new Finding("found")) : Promise.resolve();
    };
    const { failure } = await fuzz({ corpus, seed: SEED, isEnough: () => false, checkInput });
    assertEquals(failure?.message, "found");
    const { bytes, ...options } = failure!.input!;
    assertEquals(toText(bytes).replaceAll("\n", ""), '"total"');
    assertEquals(bytes.length, '"total"'.length + 2);
    assertEquals({ ...options, through: undefined }, {
      cuts: [],
      onMalformed: "tell",
      maxLineBytes: undefined,
      through: undefined,
    });
  });

  it("reports a check that throws as a finding", async () => {
    const checkInput = () => Promise.reject(new TypeError("oops"));
    const { failure } = await fuzz({ corpus, seed: SEED, isEnough: () => false, checkInput });
    assertStringIncludes(failure!.message, "oops");
    assertEquals(failure!.input?.bytes.length, 0);
  });

  it("tries the same inputs for the same seed, and others for another", () => {
    const inputOf = (seed: number) => makeInput(corpus, new Dice(seed, 7));
    assertEquals(inputOf(1), inputOf(1));
    assertNotEquals(inputOf(1), inputOf(2));
  });

  it("makes inputs of every kind", () => {
    const inputs = Array.from(
      { length: 300 },
      (_, number) => makeInput(corpus, new Dice(1, number)),
    );
    const some = (holds: (input: Input, text: string) => boolean) =>
      inputs.some((input) => holds(input, toText(input.bytes)));
    assert(some(({ cuts }) => cuts.length === 0) && some(({ cuts }) => cuts.length > 20));
    assert(some(({ maxLineBytes }) => maxLineBytes !== undefined));
    assert(
      some((_, text) => text.startsWith("\xef\xbb\xbf")) && some((_, text) => /\r\n/.test(text)),
    );
    assert(some((_, text) => text.endsWith("\n")) && some((_, text) => !text.endsWith("\n")));
    assert(
      some((_, text) => text.includes("__proto__")) && some((_, text) => /[\x80-\xff]/.test(text)),
    );
  });
});

describe("what the fuzzer is made of", () => {
  const anyBytes = fc.uint8Array({ maxLength: 50 }).map((bytes) => new Uint8Array(bytes));

  it("turns bytes into texts and back", () => {
    fc.assert(fc.property(anyBytes, (bytes) => assertEquals(toBytes(toText(bytes)), bytes)));
  });

  it("cuts bytes into chunks that are the same bytes", () => {
    fc.assert(fc.property(anyBytes, fc.array(fc.nat({ max: 60 })), (bytes, cuts) => {
      const chunks = chunksOf({ bytes, cuts });
      assertEquals(chunks.map(toText).join(""), toText(bytes));
    }));
  });

  it("tells values apart", () => {
    const values = fc.tuple(fc.jsonValue(), fc.jsonValue(), fc.boolean()).map(([a, b, copies]) =>
      JSON.parse(JSON.stringify([a, copies ? a : b]))
    );
    fc.assert(fc.property(values, ([a, b]) => assertEquals(isSame(a, b), equal(a, b))));
    for (const [a, b] of [[0, "0"], [[], {}], [null, {}], [[1], [1, 2]], [{ a: 1 }, { b: 1 }]]) {
      assert(!isSame(a, b));
    }
  });

  it("leaves out everything that is not needed, and nothing else", async () => {
    const sets = fc.tuple(fc.nat({ max: 40 }), fc.uniqueArray(fc.nat({ max: 39 })));
    await fc.assert(fc.asyncProperty(sets, async ([length, wanted]) => {
      const items = Array.from({ length }, (_, item) => item);
      const needed = wanted.filter((item) => item < length).sort((a, b) => a - b);
      const rest = await withoutNeedless(
        items,
        (rest) => Promise.resolve(needed.every((item) => rest.includes(item))),
      );
      assertEquals(rest, needed);
    }));
  });
});
