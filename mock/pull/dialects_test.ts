import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { type DialectName, dialects } from "../../src/dialects.ts";
import { ConfigurationError } from "../configuration_error.ts";
import { createMockServer } from "../server.ts";
import type { Fault } from "../faults/faults.ts";
import {
  A,
  beginPull,
  CHANGED,
  mockOfSmall,
  pullText,
  SMALL,
  transcript,
} from "../test_helpers.ts";

/** What a mock of a small model sends, in virtual time, at 100 MB/s. */
interface Transcripts {
  /** Nothing is there yet. */
  first: string;
  /** All of it is there already. */
  second: string;
  /** The second layer has been replaced since then, by one of another size. */
  changed: string;
  /** After so many lines of a first pull, its client has left. */
  linesBeforeLeaving: number;
  /** What the next pull sends then. */
  resumed: string;
}

const TRANSCRIPTS: Readonly<Record<DialectName, Transcripts>> = {
  "spec": {
    first: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":6000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":12000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":18000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading B","digest":"B","total":3000000}
      {"status":"downloading B","digest":"B","total":3000000,"completed":3000000}
      {"status":"downloading C","digest":"C","total":500}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading B","digest":"B","total":3000000,"completed":3000000}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading D","digest":"D","total":2000000}
      {"status":"downloading D","digest":"D","total":2000000,"completed":2000000}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 3,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000,"completed":6000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":12000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":18000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading B","digest":"B","total":3000000}
      {"status":"downloading B","digest":"B","total":3000000,"completed":3000000}
      {"status":"downloading C","digest":"C","total":500}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
  },
  "v0.1.0": {
    first: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":6000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":12000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":18000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading B","digest":"B","total":3000000}
      {"status":"downloading B","digest":"B","total":3000000,"completed":3000000}
      {"status":"downloading C","digest":"C","total":500}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"","digest":"A","total":20000000,"completed":20000000}
      {"status":"","digest":"B","total":3000000,"completed":3000000}
      {"status":"","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading D","digest":"D","total":2000000}
      {"status":"downloading D","digest":"D","total":2000000,"completed":2000000}
      {"status":"","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 3,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"downloading A","digest":"A","total":20000000,"completed":6000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":12000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":18000000}
      {"status":"downloading A","digest":"A","total":20000000,"completed":20000000}
      {"status":"downloading B","digest":"B","total":3000000}
      {"status":"downloading B","digest":"B","total":3000000,"completed":3000000}
      {"status":"downloading C","digest":"C","total":500}
      {"status":"downloading C","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
  },
  "v0.1": {
    first: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":6000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling dddddddddddd","digest":"D","total":2000000,"completed":2000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 2,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing any unused layers"}
      {"status":"success"}
    `,
  },
  "v0.5": {
    first: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":6000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000} ×13
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000} ×16
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500} ×16
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling dddddddddddd","digest":"D","total":2000000,"completed":2000000} ×16
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing unused layers"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 2,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000} ×14
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000} ×16
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500} ×16
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
  },
  "client2": {
    first: `
      {"status":"pulling manifest"}
      {"digest":"A","total":20000000}
      {"digest":"A","total":20000000,"completed":6999500}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"digest":"A","total":20000000,"completed":16999500}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"digest":"A","total":20000000,"completed":20000000}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"digest":"A","total":20000000}
      {"digest":"A","total":20000000,"completed":20000000}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"digest":"A","total":20000000}
      {"digest":"A","total":20000000,"completed":20000000}
      {"digest":"D","total":2000000,"completed":2000000}
      {"digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 3,
    resumed: `
      {"status":"pulling manifest"}
      {"digest":"A","total":20000000}
      {"digest":"A","total":20000000,"completed":16999500}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"digest":"A","total":20000000,"completed":20000000}
      {"digest":"B","total":3000000,"completed":3000000}
      {"digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
  },
  "tensor": {
    first: `
      {"status":"pulling manifest"}
      {"status":"pulling model","digest":"sha256:model","total":23000500}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":6000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":12000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":18000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":23000500}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"pulling model","digest":"sha256:model","total":22000500,"completed":20000500}
      {"status":"pulling model","digest":"sha256:model","total":22000500,"completed":22000500}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 3,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":6000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":12000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":18000000}
      {"status":"pulling model","digest":"sha256:model","total":23000500,"completed":23000500}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
  },
  "v0.33": {
    first: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":6000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    second: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
    changed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":20000000}
      {"status":"pulling cccccccccccc","digest":"C","total":500,"completed":500}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"removing unused layers"}
      {"status":"success"}
    `,
    linesBeforeLeaving: 2,
    resumed: `
      {"status":"pulling manifest"}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":12000000}
      {"status":"pulling aaaaaaaaaaaa","digest":"A","total":20000000,"completed":18000000}
      {"status":"verifying sha256 digest"}
      {"status":"writing manifest"}
      {"status":"success"}
    `,
  },
};

/** The lines of a template, without what indents them. */
function unindent(text: string): string {
  return text.trim().split("\n").map((line) => `${line.trim()}\n`).join("");
}

/** A text in which lines that come again and again stand once, with their number. */
function fold(text: string): string {
  return text.replace(/^(.*\n)\1+/gm, (lines, line: string) => {
    return `${line.trimEnd()} ×${lines.length / line.length}\n`;
  });
}

for (const dialect of Object.keys(dialects) as DialectName[]) {
  const { first, second, changed, linesBeforeLeaving, resumed } = TRANSCRIPTS[dialect];

  describe(`The dialect ${dialect}`, () => {
    it("reports a first pull line by line", async () => {
      assertEquals(fold(await transcript(mockOfSmall({ dialect }))), unindent(first));
    });

    it("reports layers that are there already", async () => {
      const server = mockOfSmall({ dialect });
      await pullText(server);
      assertEquals(fold(await transcript(server)), unindent(second));
    });

    it("reports a model that has changed since it was pulled", async () => {
      const server = mockOfSmall({ dialect });
      await pullText(server);
      server.registry.publish(CHANGED);
      assertEquals(fold(await transcript(server)), unindent(changed));
    });

    it("goes on from the bytes that a pull has left", async () => {
      const server = mockOfSmall({ dialect });
      await (await beginPull(server, linesBeforeLeaving)).cancel();
      assertEquals(fold(await transcript(server)), unindent(resumed));
    });

    it("sends the same bytes in another mock", async () => {
      const texts = await Promise.all([
        pullText(createMockServer({ dialect }), "llama3.2"),
        pullText(createMockServer({ dialect }), "llama3.2"),
      ]);
      assertEquals(texts[0], texts[1]);
    });
  });
}

describe("Dialects", () => {
  it("are sent line by line the same over HTTP, whatever the timers of a busy machine do", async () => {
    /** Keeps the machine busy now and then, so that timers are late. */
    const busy = setInterval(() => {
      const until = performance.now() + 20;
      while (performance.now() < until);
    }, 25);
    try {
      await Promise.all((Object.keys(dialects) as DialectName[]).map(async (dialect) => {
        const faults: Fault[] = [{ kind: "freeze", at: { completed: "60%" }, ms: 130 }];
        const inProcess = await pullText(mockOfSmall({ dialect, faults }));
        const server = mockOfSmall({ dialect, faults });
        await using listener = await server.listen();
        const body = JSON.stringify({ model: "small" });
        const answer = await fetch(`${listener.url}/api/pull`, { method: "POST", body });
        assertStrictEquals(await answer.text(), inProcess, dialect);
      }));
    } finally {
      clearInterval(busy);
    }
  });

  it("are those of the published page by default", async () => {
    assertEquals(await pullText(mockOfSmall()), await pullText(mockOfSmall({ dialect: "spec" })));
  });

  it("write digests out in full", async () => {
    const text = await pullText(mockOfSmall());
    assertEquals(
      text.split("\n")[1],
      `{"status":"downloading ${A}","digest":"${A}","total":20000000}`,
    );
  });

  it("report a layer that is listed twice a second time, as one that is there", async () => {
    const twice = { ...SMALL, layers: [SMALL.layers[1]!, SMALL.layers[1]!] };
    const server = createMockServer({ models: [twice], dialect: "v0.33" });
    assertEquals(
      (await transcript(server)).split("\n")[1],
      '{"status":"pulling bbbbbbbbbbbb","digest":"B","total":3000000,"completed":3000000}',
    );
  });

  it("leave out what is 0", async () => {
    const empty = { name: "small", layers: [{ size: 0, digest: A }] };
    const server = createMockServer({ models: [empty] });
    assertEquals(
      (await transcript(server)).split("\n")[1],
      '{"status":"downloading A","digest":"A"}',
    );
  });

  it("are refused by an unknown name", () => {
    assertThrows(
      () => createMockServer({ dialect: "v9" as DialectName }),
      ConfigurationError,
      'Cannot use the dialect "v9": it must be one of spec, v0.1.0, v0.1, v0.5, client2, tensor, v0.33',
    );
  });
});
