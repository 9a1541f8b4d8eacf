import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { createMockServer, type MockModel, type MockServer } from "../../mock/mod.ts";
import { EXIT, Interruption } from "../command.ts";
import { main } from "../main.ts";
import { NO_REGISTRY, Recorder, TestContext, withServer } from "../test_helpers.ts";

const MEDIA_TYPE = "application/vnd.ollama.image.";
const WEIGHTS = { size: 2_000_000, mediaType: `${MEDIA_TYPE}model` };
const digest = `sha256:${"1".padStart(64, "0")}`;

/** A model whose template was replaced, before and after. */
const OLD = {
  name: "changed",
  layers: [WEIGHTS, { size: 100, mediaType: `${MEDIA_TYPE}template` }],
};
const NEW = {
  name: "changed",
  layers: [WEIGHTS, { size: 1_234, mediaType: `${MEDIA_TYPE}template`, digest }],
};
/** A model that was made from another one. */
const MADE = { name: "mine", size: 5_000_000, details: { parent_model: "tiny" } };

interface World {
  readonly server: MockServer;
  readonly context: TestContext;
  /** Runs `pull` with some arguments, and resolves to the exit code. */
  pull(...args: string[]): Promise<number>;
  /** What is written, by line. */
  readonly lines: string[];
}

/** Does something with a server that has some models, and with a registry. */
async function withModels(
  { models, installed }: { models: (MockModel | string)[]; installed: (MockModel | string)[] },
  work: (world: World) => Promise<void>,
): Promise<void> {
  const server = createMockServer({ models, installed, bytesPerSecond: Infinity });
  const { url, close } = await server.listen();
  const context = new TestContext(new Recorder());
  context.env.OLLAMA_HOST = url;
  context.env.OLLAMA_PULL_REGISTRY = url;
  try {
    await work({
      server,
      context,
      pull: (...args) => main(["pull", ...args], context),
      get lines() {
        return context.stdout.lines;
      },
    });
  } finally {
    await close();
  }
}

const pathsOf = ({ requests }: MockServer) => requests.map(({ path }) => path);
const pullsOf = (server: MockServer) =>
  pathsOf(server).filter((path) => path === "/api/pull").length;

const SHELF = { models: ["tiny", "mistral", NEW, MADE], installed: ["tiny", OLD] };

describe("pull --dry-run", () => {
  it("says what is there and what there is to download, and pulls nothing", async () => {
    await withModels(SHELF, async (world) => {
      const { server, context, pull } = world;
      assertEquals(await pull("mistral", "tiny", "changed:latest", "--dry-run"), EXIT.success);
      assertEquals(world.lines, [
        "mistral: not installed; to download: 4.1 GB",
        "tiny: up to date, 2.0 MB",
        "changed:latest: newer version available; to download: 1.2 kB of 2.0 MB",
      ]);
      assertEquals([context.stderr.text, pullsOf(server)], ["", 0]);
    });
  });

  it("gives programs a line of JSON for each model, with its layers", async () => {
    await withModels(SHELF, async (world) => {
      assertEquals(await world.pull("changed", "--dry-run", "--json"), EXIT.success);
      const [line] = world.lines.map((text) => JSON.parse(text));
      assertEquals(
        { ...line, layers: line.layers.map(({ present }: { present: boolean }) => present) },
        {
          model: "changed",
          state: "outdated",
          size: 2_001_795,
          download: 1_234,
          layers: [true, false, true],
        },
      );
    });
  });

  it("fails where there is no such model, and goes on with the others", async () => {
    await withModels(SHELF, async (world) => {
      assertEquals(await world.pull("gone", "tiny", "--dry-run"), EXIT.failure);
      assertEquals(world.lines, ["tiny: up to date, 2.0 MB"]);
      assertMatch(
        world.context.stderr.text,
        /^error: gone: its registry does not have it. .*ollama.com/,
      );
      assertEquals(world.context.stderr.lines.length, 1);
    });
  });

  it("says who asks the registry where that does not answer", async () => {
    await withModels(SHELF, async ({ pull, context }) => {
      assertEquals(await pull("tiny", "--dry-run", "--registry", NO_REGISTRY), EXIT.failure);
      assertMatch(context.stderr.text, /^error: tiny: Cannot reach http:\/\/127.0.0.1:1: /);
      assertStringIncludes(context.stderr.text, "This machine asks the registry");
      assertEquals(await pull("tiny", "--dry-run", "--json", "--registry", NO_REGISTRY), 1);
      const { model, error, advice } = JSON.parse(context.stdout.text);
      assertEquals([model, error.code], ["tiny", "network"]);
      assertStringIncludes(advice, "This machine asks");
    });
  });

  it("says so where the server cannot be asked", async () => {
    const context = new TestContext(new Recorder());
    await withServer((response) => void response.writeHead(502).end(), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--dry-run", "--host", url], context), EXIT.failure);
      assertStringIncludes(context.stderr.text, "error: Cannot get the list of models from");
      assertStringIncludes(
        context.stderr.text,
        `run: ollama-pull pull a --host ${url} --dry-run`,
      );
    });
  });

  it("ends when it is interrupted", async () => {
    const context = new TestContext(new Recorder());
    await withServer(
      () => context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted)),
      async ({ url }) => {
        assertEquals(await main(["pull", "a", "--dry-run", "--host", url], context), 130);
        assertEquals(context.stderr.text, "Cancelled.\n");
      },
    );
  });

  it("tells no more than a server shows", async () => {
    const mock = createMockServer({ models: [NEW, "mistral"], installed: [OLD] });
    const context = new TestContext(new Recorder());
    await withServer(async (response, { url = "", method = "GET" }) => {
      const isShown = url === "/api/tags" || url.startsWith("/v2/");
      const answer = isShown ? await mock.fetch(`http://h${url}`, { method }) : undefined;
      response.writeHead(answer?.status ?? 404).end(await answer?.text());
    }, async ({ url }) => {
      context.env.OLLAMA_PULL_REGISTRY = url;
      const args = ["pull", "changed", "mistral", "--dry-run", "--host", url];
      assertEquals(await main(args, context), EXIT.success);
      assertEquals(context.stdout.lines, [
        "changed: installed; cannot tell whether it is up to date; to download: at most 2.0 MB",
        "mistral: not installed; to download: at most 4.1 GB",
      ]);
    });
  });
});

describe("pull --outdated", () => {
  const LIBRARY = {
    models: ["tiny", NEW, { name: "mine", size: 6_000_000 }, { name: "gpt:20b-cloud" }],
    installed: ["tiny", OLD, MADE, { name: "gpt:20b-cloud", size: 1 }, "nomic-embed-text"],
  };
  const TOLD = [
    "changed:latest: newer version available; to download: 1.2 kB of 2.0 MB",
    "mine:latest: differs from its registry (made from tiny); not updated: pull it by name to replace it",
    "nomic-embed-text:latest: installed, 274 MB; its registry does not have it",
    "1 of 4 models has a newer version; to download: 1.2 kB",
  ];

  it("pulls what has a newer version, and says what it leaves as it is", async () => {
    await withModels(LIBRARY, async (world) => {
      const { server, context, pull } = world;
      server.registry.withdraw("nomic-embed-text");
      assertEquals(await pull("--outdated"), EXIT.success);
      assertEquals(world.lines.slice(0, 4), TOLD);
      assertMatch(world.lines.at(-1)!, /^changed:latest: 2.0 MB\b/);
      assertEquals([context.stderr.text, pullsOf(server)], ["", 1]);
      context.stdout.text = "";
      assertEquals(await pull("--outdated"), EXIT.success);
      assertEquals(world.lines.at(-1), "No model has a newer version");
      assertEquals(pullsOf(server), 1);
    });
  });

  it("with --dry-run lists it", async () => {
    await withModels(LIBRARY, async (world) => {
      world.server.registry.withdraw("nomic-embed-text");
      assertEquals(await world.pull("--outdated", "--dry-run"), EXIT.success);
      assertEquals([world.lines, pullsOf(world.server)], [TOLD, 0]);
    });
  });

  it("looks at the models that are named, if any are", async () => {
    await withModels(LIBRARY, async (world) => {
      assertEquals(await world.pull("tiny", "CHANGED", "--outdated", "--dry-run"), EXIT.success);
      assertEquals(world.lines, [
        "CHANGED: newer version available; to download: 1.2 kB of 2.0 MB",
        "1 of 2 models has a newer version; to download: 1.2 kB",
      ]);
    });
  });

  it("counts a layer once that several models need", async () => {
    const both = ["changed", "changed:1b"];
    await withModels({
      models: both.map((name) => ({ ...NEW, name })),
      installed: both.map((name) => ({ ...OLD, name })),
    }, async (world) => {
      await world.pull("--outdated", "--dry-run");
      assertEquals(world.lines.length, 3);
      assertEquals(world.lines[2], "2 of 2 models have a newer version; to download: 1.2 kB");
    });
  });

  it("says so where there is nothing to look at", async () => {
    await withModels({ models: [], installed: [] }, async (world) => {
      assertEquals(await world.pull("--outdated"), EXIT.success);
      assertEquals(world.lines, ["There is no model to update"]);
    });
  });
});

describe("pull --if-missing", () => {
  it("pulls what is not there, and nothing else", async () => {
    await withModels(SHELF, async (world) => {
      const { server, pull } = world;
      assertEquals(await pull("tiny:latest", "changed", "--if-missing"), EXIT.success);
      assertEquals(world.lines, ["tiny:latest: already there", "changed: already there"]);
      assertEquals(pullsOf(server), 0);
      assertEquals(await pull("mine", "--if-missing"), EXIT.success);
      assertMatch(world.lines.at(-1)!, /^mine: 5.0 MB/);
      assertEquals(pullsOf(server), 1);
    });
  });

  it("pulls where the server does not tell, which says what is wrong", async () => {
    const context = new TestContext(new Recorder());
    await withServer((response, { url }) => {
      if (url === "/api/tags") return void response.writeHead(404).end();
      response.end('{"error":"disk full"}\n');
    }, async ({ url }) => {
      const args = ["pull", "a", "--if-missing", "--no-manifest", "--host", url];
      assertEquals(await main(args, context), EXIT.failure);
      assertStringIncludes(context.stderr.text, "error: disk full. ");
      assertStringIncludes(context.stderr.text, "--no-manifest --if-missing");
    });
  });
});

describe("options of pull that contradict each other", () => {
  it("are told", async () => {
    const lines: [args: string[], message: string][] = [
      [[], "Which model?"],
      [["--dry-run"], "Which model?"],
      [["--if-missing"], "Which model?"],
      [["a", "--if-missing", "--outdated"], "cannot be used with"],
      [["a", "--if-missing", "--dry-run"], "cannot be used with"],
      [["a", "--dry-run", "--record", "x"], "cannot be used with"],
      [["a", "--dry-run", "--no-manifest"], "--dry-run cannot be used with --no-manifest"],
      [["--outdated", "--no-manifest"], "--outdated cannot be used with --no-manifest"],
    ];
    for (const [args, message] of lines) {
      const context = new TestContext(new Recorder());
      assertEquals(await main(["pull", ...args], context), EXIT.usage, args.join(" "));
      assertStringIncludes(context.stderr.text, message);
      assertEquals(context.stderr.lines.length, 1);
    }
  });
});
