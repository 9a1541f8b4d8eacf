/**
 * Shows that what is measured is what it seems to be: the same pull, read to its end by all.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { check, type Contender, CONTENDERS } from "./contenders.ts";
import { endlessPull } from "./endless_pull.ts";
import { type Input, makeInputs } from "./inputs.ts";
import { type Chunking, CHUNKINGS, cut, PullBody } from "./pull_bytes.ts";

const LINES = 1_000;
const inputs: Input[] = [];
for await (const input of makeInputs(LINES, () => true)) inputs.push(input);

async function race(contender: Contender, input: Input, chunking: Chunking): Promise<void> {
  const chunks = cut(new TextEncoder().encode(input.text), chunking);
  check(contender, await contender.run(new PullBody(chunks)), input);
}

describe("the inputs", () => {
  for (const { name, lines, total, reported, text } of inputs) {
    it(`have about as many lines as asked, and a success at the end: ${name}`, () => {
      assert(Math.abs(lines - LINES) < LINES * 0.1, `${lines} lines`);
      assert(reported <= total && total > 1e9);
      assert(text.endsWith('{"status":"success"}\n'));
    });
  }

  it("are the same bytes however they are cut", () => {
    const bytes = new TextEncoder().encode(inputs[0]!.text);
    for (const chunking of Object.keys(CHUNKINGS) as Chunking[]) {
      const chunks = cut(bytes, chunking);
      assertEquals(chunks.reduce((sum, { length }) => sum + length, 0), bytes.length);
      if (chunking === "live") assertEquals(chunks.length, inputs[0]!.lines);
    }
  });
});

describe("a pull without an end in memory", () => {
  it("gives lines whose bytes grow, one by one", () => {
    let text = "";
    for (const chunk of endlessPull(1_001)) text += new TextDecoder().decode(chunk);
    const completed = text.trimEnd().split("\n").map((line) => JSON.parse(line).completed);
    assertEquals(completed.length, 1_001 + 3);
    const first = completed[1];
    assertEquals(
      completed.slice(1, -2),
      Array.from({ length: 1_001 }, (_, i) => first + i * 1_000),
    );
  });
});

describe("a contender", () => {
  for (const contender of CONTENDERS) {
    it(`reads every pull as it is: ${contender.name} (${contender.job})`, async () => {
      for (const input of inputs) await race(contender, input, "replay");
      for (const chunking of ["network", "live"] as const) {
        await race(contender, inputs[0]!, chunking);
      }
    });
  }

  it("does not count when its answer is wrong", async () => {
    const [first] = CONTENDERS;
    const input = { ...inputs[0]!, lines: LINES * 2 };
    await assertRejects(() => race(first!, input, "replay"), Error, "did not read the pull");
  });
});
