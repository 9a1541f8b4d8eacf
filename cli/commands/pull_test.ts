import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createMockServer } from "../../mock/mod.ts";
import { EXIT, Interruption } from "../command.ts";
import { main } from "../main.ts";
import {
  PULL_LINES,
  Recorder,
  Screen,
  sendLines,
  serve,
  TestContext,
  withServer,
} from "../test_helpers.ts";

/** Sends the first lines and leaves the connection open, then does something. */
function sendAndWait(lines: readonly string[], then: () => void) {
  return (response: Parameters<ReturnType<typeof sendLines>>[0]) => {
    response.writeHead(200);
    response.write(lines.join(""), then);
  };
}

describe("pull", () => {
  it("asks the server for the model and shows the pull", async () => {
    await withServer(sendLines(PULL_LINES), async ({ url, bodies }) => {
      const context = new TestContext(new Recorder());
      assertEquals(await main(["pull", "llama3.2", "--host", url, "--insecure"], context), 0);
      assertEquals(bodies, [{ model: "llama3.2", name: "llama3.2", insecure: true, stream: true }]);
      assertEquals(context.stdout.lines.slice(-2), [
        "success",
        "llama3.2: 1.0 kB in 0 s, 400 B already present",
      ]);
      assertEquals(context.stderr.text, "");
    });
  });

  it("goes to OLLAMA_HOST, and prefers --host", async () => {
    await withServer(sendLines(PULL_LINES), async ({ url, bodies }) => {
      const context = new TestContext(new Recorder());
      context.env.OLLAMA_HOST = ` "${url.replace("http://127.0.0.1", "0.0.0.0")}" `;
      assertEquals(await main(["pull", "a"], context), 0);
      context.env.OLLAMA_HOST = "127.0.0.1:1";
      assertEquals(await main(["pull", "b", "--host", url], context), 0);
      assertEquals(bodies.length, 2);
    });
  });

  it("leaves the picture, and then the error, on a terminal", async () => {
    const lines = [...PULL_LINES.slice(0, 2), '{"error":"disk \\u001b[2Jfull"}\n'];
    await withServer(sendLines(lines), async ({ url }) => {
      const context = new TestContext(new Screen(80, 24));
      assertEquals(await main(["pull", "a", "--host", url], context), EXIT.failure);
      assertEquals(context.stdout.showsCursor, true);
      assertEquals((await context.stdout.look()).map((line) => line.slice(0, 17)), [
        "pulling manifest",
        "000000000000  40%",
        "whole model      ",
      ]);
      assertStringIncludes(context.stderr.text, "error: disk full. ");
      assertEquals(context.stderr.lines.length, 1);
    });
  });

  it("says how to resume when it is interrupted, with the address that it used", async () => {
    const context = new TestContext(new Screen(80, 24));
    const interrupt = () => {
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
    };
    await withServer(sendAndWait(PULL_LINES.slice(0, 2), interrupt), async ({ url }) => {
      assertEquals(await main(["pull", "a-model", "--insecure", "--host", url], context), 130);
      assertEquals(
        context.stderr.text,
        "Cancelled. What was downloaded is kept; to resume, run: " +
          `ollama-pull pull a-model --host ${url} --insecure\n`,
      );
      assertEquals(context.stdout.showsCursor, true);
    });
  });

  it("ends without a word when the output was closed", async () => {
    const context = new TestContext(new Recorder());
    const close = () => {
      context.interruption.abort(new Interruption("The output was closed", EXIT.outputClosed));
    };
    await withServer(sendAndWait(PULL_LINES.slice(0, 2), close), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--host", url], context), 141);
      assertEquals(context.stderr.text, "");
    });
  });

  it("says how to resume when the connection breaks", async () => {
    const context = new TestContext(new Recorder());
    await withServer(breakOff(PULL_LINES.slice(0, 2), context), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--host", url, "--retries=1"], context), 1);
      assertStringIncludes(context.stderr.text, "error: The connection broke: ");
      assertStringIncludes(
        context.stderr.text,
        `to resume, run: ollama-pull pull a --host ${url} --retries 1`,
      );
      assertEquals(context.stderr.lines.length, 1);
    });
  });

  it("tells no password, whatever goes wrong", async () => {
    const answers: Parameters<typeof withServer>[0][] = [
      (response) => void response.destroy(),
      (response) => void response.writeHead(401).end("<html>"),
      (response) => void response.writeHead(200).end(PULL_LINES[0]),
      (response) => void response.writeHead(200).end('{"error":"disk full"}\n'),
      (response) => void response.writeHead(200).end("<html>\n"),
    ];
    for (const answer of answers) {
      for (const terminal of [new Recorder(), new Screen(80, 24)]) {
        await withServer(answer, async ({ url }) => {
          const context = new TestContext(terminal);
          const host = `${url.replace("//", "//me:hunter2@")}/a?key=hunter2#hunter2`;
          const args = ["pull", "a", "--retry-for", "off", "--header", "X-Key: hunter2"];
          assertEquals(await main([...args, "--host", host], context), EXIT.failure);
          assertEquals((context.stdout.text + context.stderr.text).includes("hunter2"), false);
        });
      }
    }
    for (const host of ["http://me:hun@ter2@h:x", "http://me:hunt/er2@h:x", "me:hun/t@er2@h:x:y"]) {
      const context = new TestContext(new Recorder());
      await main(["pull", "a", "--host", host], context);
      for (const part of ["hun", "er2"]) assertEquals(context.stderr.text.includes(part), false);
    }
  });

  it("shows a terminal where it is connecting to, while nothing comes", async () => {
    const context = new TestContext(new Screen(80, 24));
    await withServer(() => {
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
    }, async ({ url }) => {
      await main(["pull", "a", "--host", url.replace("//", "//me:secret@")], context);
      assertEquals(await context.stdout.look(), [`connecting to ${url}`]);
      assertEquals(context.stderr.text.includes("secret"), false);
    });
  });
});

/** A server that answers each request in its own way, and then as the last time. */
function answerInTurn(
  ...answers: Parameters<typeof withServer>[0][]
): Parameters<typeof withServer>[0] {
  return (response, request) =>
    (answers.length > 1 ? answers.shift() : answers[0])!(response, request);
}

/**
 * An answer that sends lines and breaks once a number of bytes is shown: Bun drops what has arrived when a
 * connection breaks.
 */
function breakOff(lines: readonly string[], { stdout }: TestContext) {
  return (response: ServerResponse) => {
    stdout.onWrite = () => {
      if (/[1-9]/.test(stdout.text)) response.destroy();
    };
    response.write(lines.join(""), () => stdout.onWrite());
  };
}

const fail = (error: string) => sendLines([PULL_LINES[0]!, `${JSON.stringify({ error })}\n`]);

describe("pull, when something fails", () => {
  it("goes on, says so in a line for each retry, and counts them in the end", async () => {
    const context = new TestContext(new Recorder());
    const broken = breakOff(PULL_LINES.slice(0, 2), context);
    await withServer(answerInTurn(broken, broken, sendLines(PULL_LINES)), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--host", url], context), EXIT.success);
      const { lines } = context.stdout;
      assertEquals(
        lines.filter((line) => /^The connection broke: .*; attempt [23] in \d s$/.test(line))
          .length,
        2,
      );
      assertMatch(lines.at(-1)!, /^a: 1\.0 kB in \d s, .*, 2 retries$/);
      assertEquals(context.stderr.text, "");
    });
  });

  it("goes on by default for half an hour, and by count if that is given", async () => {
    for (
      const [args, requests] of [[[], 60], [["--retries", "2"], 3], [
        ["--retry-for=off"],
        1,
      ]] as const
    ) {
      const context = new TestContext(new Recorder());
      await withServer(
        (response) => void response.writeHead(503).end(),
        async ({ url, bodies }) => {
          assertEquals(await main(["pull", "a", "--host", url, ...args], context), EXIT.failure);
          const isAsOften = args.length === 0
            ? bodies.length > requests
            : bodies.length === requests;
          assertEquals([isAsOften, args], [true, args]);
          if (args.length === 0) assert(context.time >= 1_800_000 && context.time < 1_900_000);
        },
      );
    }
  });

  it("takes a server for stalled that sends nothing", async () => {
    const context = new TestContext(new Recorder());
    const args = ["--stall-timeout", "4s", "--retries", "0"];
    await withServer(sendAndWait(PULL_LINES.slice(0, 1), () => {}), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--host", url, ...args], context), EXIT.failure);
      assertStringIncludes(
        context.stderr.text,
        "nothing for 4 s. To try again, run: ollama-pull pull a",
      );
      assertStringIncludes(context.stderr.text, "--stall-timeout 4s\n");
    });
  });

  it("sends headers, and does not repeat their values", async () => {
    const context = new TestContext(new Recorder());
    const seen: unknown[] = [];
    await withServer((response, { headers }) => {
      seen.push(headers["authorization"], headers["x-b"]);
      response.writeHead(503).end();
    }, async ({ url }) => {
      const headers = ["--header", "Authorization: Bearer hunter2", "--header", "X-B:c"];
      await main(["pull", "a", "--host", url, "--retries", "0", ...headers], context);
      assertEquals(seen, ["Bearer hunter2", "c"]);
      assertStringIncludes(
        context.stderr.text,
        "--header 'Authorization: ***' --header 'X-B: ***'",
      );
    });
  });

  it("pulls several models in turn, and goes on after one that fails", async () => {
    const context = new TestContext(new Recorder());
    const answers = answerInTurn(
      sendLines(PULL_LINES),
      fail("disk on fire"),
      sendLines(PULL_LINES),
    );
    await withServer(answers, async ({ url, bodies }) => {
      assertEquals(await main(["pull", "a", "b", "c", "--host", url], context), EXIT.failure);
      assertEquals(bodies.map((body) => (body as { model: string }).model), ["a", "b", "c"]);
      assertEquals(context.stderr.lines.length, 1);
      assertStringIncludes(context.stderr.text, "error: b: disk on fire. ");
      assertStringIncludes(context.stderr.text, `run: ollama-pull pull b --host ${url}`);
      assertEquals(context.stdout.lines.filter((line) => /^[ac]: 1\.0 kB in/.test(line)).length, 2);
    });
  });

  it("goes on to the next model after a connection that breaks", async () => {
    const context = new TestContext(new Recorder());
    const answers = answerInTurn(breakOff(PULL_LINES.slice(0, 2), context), sendLines(PULL_LINES));
    await withServer(answers, async ({ url, bodies }) => {
      assertEquals(await main(["pull", "a", "b", "--host", url, "--retries", "0"], context), 1);
      assertEquals(bodies.length, 2);
      assertStringIncludes(
        context.stderr.text,
        `run: ollama-pull pull a --host ${url} --retries 0\n`,
      );
    });
  });

  it("stops at the first of several models if there is no server, and names all that are left", async () => {
    const context = new TestContext(new Recorder());
    const { url, close } = await serve(() => {});
    await close();
    assertEquals(await main(["pull", "a", "b", "--host", url, "--quiet"], context), EXIT.failure);
    assertEquals(context.stderr.lines.length, 1);
    assertStringIncludes(context.stderr.text, "error: a: Cannot reach");
    assertEquals(context.stdout.text, "");
  });

  it("names the models that are left when it is interrupted", async () => {
    const context = new TestContext(new Recorder());
    const interrupt = () => {
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
    };
    const answers = answerInTurn(sendLines(PULL_LINES), sendAndWait(PULL_LINES, interrupt));
    await withServer(answerInTurn(fail("x"), answers, answers), async ({ url }) => {
      assertEquals(await main(["pull", "a", "b", "c", "d", "--host", url], context), 130);
      assertStringIncludes(context.stderr.text, "to resume, run: ollama-pull pull a c d --host");
    });
  });

  it("writes retries and the failure as JSON, too, with --json", async () => {
    const context = new TestContext(new Recorder());
    const answers = answerInTurn(
      breakOff(PULL_LINES.slice(0, 2), context),
      fail("disk \x9b2J full"),
    );
    await withServer(answers, async ({ url }) => {
      assertEquals(await main(["pull", "a", "--json", "--host", url], context), EXIT.failure);
      const written = context.stdout.lines.map((line) => JSON.parse(line));
      assertEquals(written.every(({ model }) => model === "a"), true);
      const retry = written.find(({ retry }) => retry).retry;
      assertEquals([retry.attempt, retry.error.code], [2, "network"]);
      const { error, advice } = written.at(-1);
      assertEquals([error.name, error.code], ["PullError", "server"]);
      assertStringIncludes(advice, "to resume, run: ollama-pull pull a --host");
      assertEquals(context.stderr.lines.length, 1);
    });
  });

  it("writes an interruption as JSON, too", async () => {
    const context = new TestContext(new Recorder());
    const interrupt = () => {
      context.interruption.abort(new Interruption("Interrupted", EXIT.interrupted));
    };
    await withServer(sendAndWait(PULL_LINES, interrupt), async ({ url }) => {
      assertEquals(await main(["pull", "a", "--json", "--host", url], context), 130);
      const { model, error, advice } = JSON.parse(context.stdout.lines.at(-1)!);
      assertEquals([model, error], ["a", { name: "Interruption", message: "Interrupted" }]);
      assertStringIncludes(advice, "to resume, run: ollama-pull pull a --host");
    });
  });
});

describe("main", () => {
  it("answers wrong usage with one line and the exit code 2", async () => {
    const wrong: [args: string[], message: string][] = [
      [["pull"], "error: Which model? Name one, such as llama3.2, or add --outdated"],
      [
        ["pull", ""],
        'error: Cannot use the model name "": the model is missing; the form is [host[:port]/][namespace/]model[:tag]',
      ],
      [["pull", "a", "--jsno"], "error: unknown option '--jsno' (Did you mean --json?)"],
      [
        ["pull", "a", "--quiet", "--json"],
        "error: option '--quiet' cannot be used with option '--json'",
      ],
      [
        ["pull", "a", "--stall-timeout", "90"],
        'error: --stall-timeout: Cannot use the duration "90": it must be like 90s, 30m, 2h or off',
      ],
      [
        ["pull", "a", "--min-speed", "1KB/s", "--stall-timeout", "off"],
        "error: --min-speed needs a --stall-timeout: the speed is measured over that time",
      ],
      [
        ["pull", "a", "--registry", "ftp://a"],
        'error: --registry: Cannot use the host "ftp://a": the scheme must be http or https, such as http://127.0.0.1:11434',
      ],
      [
        ["pull", "a", "--registry", "a", "--no-manifest"],
        "error: --registry has no effect with --no-manifest: no registry is asked",
      ],
      [
        ["pull", "a", "--header", "secret"],
        'error: --header: it needs a colon, as in "Authorization: Bearer KEY"',
      ],
      [
        ["pull", "a", "--header", "A: se\ncret"],
        "error: --header: HTTP does not allow this name or value",
      ],
      [
        ["pull", "a", "--host", "11434"],
        'error: --host: Cannot use the host "11434": a port needs a colon before it, such as ":11434"',
      ],
      [["pul", "a"], "error: unknown command 'pul' (Did you mean pull?)"],
      [
        ["pull", "a", "--host", ":x"],
        'error: --host: Cannot use the host ":x": the port must be a number, such as :11434',
      ],
    ];
    for (const [args, message] of wrong) {
      const context = new TestContext(new Recorder());
      assertEquals(await main(args, context), EXIT.usage);
      assertEquals(context.stderr.lines, [message]);
      assertEquals(context.stdout.text, "");
    }
  });

  it("explains itself", async () => {
    for (const [args, part] of [[["--help"], "Commands:"], [["pull", "--help"], "--insecure"]]) {
      const context = new TestContext(new Recorder());
      assertEquals(await main(args as string[], context), EXIT.success);
      assertStringIncludes(context.stdout.text, part as string);
    }
  });

  it("shows its help, as an error, when no command was named", async () => {
    const context = new TestContext(new Recorder());
    assertEquals(await main([], context), EXIT.usage);
    assertStringIncludes(context.stderr.text, "Usage: ollama-pull");
  });

  it("prints its version, of each command, too", async () => {
    for (
      const args of [["--version"], ["pull", "--version"], ["pull", "-V"], ["mock", "--version"]]
    ) {
      const context = new TestContext(new Recorder());
      assertEquals(await main(args, context), EXIT.success);
      assertEquals(/^\d+\.\d+\.\d+\n$/.test(context.stdout.text), true);
    }
  });
});

describe("pull, and the registry", () => {
  const registry = "http://localhost:1/mirror";
  const asked = ({ requests }: TestContext) => requests.filter((url) => url.startsWith(registry));

  it("shows the whole from the start, with the layers that the registry lists", async () => {
    const layers = [3_000_000, 2_000_000, 1_000].map((size) => ({ mediaType: "a", size }));
    for (const isAsked of [true, false]) {
      // The download waits for the manifest, however busy the machine is.
      const mock = createMockServer({
        models: [{ name: "a", layers }],
        bytesPerSecond: 10_000_000,
        onRequest: ({ path }) => path.includes("/manifests/") && hold.release(),
      });
      const hold = mock.hold({ at: { layer: 0 } });
      if (!isAsked) hold.release();
      await using server = await mock.listen();
      const context = new TestContext(new Recorder());
      const registry = isAsked ? ["--registry", server.url] : ["--no-manifest"];
      const args = ["pull", "a", "--json", "--host", server.url, ...registry];
      assertEquals(await main(args, context), EXIT.success);
      const shown = context.stdout.lines.map((line) => JSON.parse(line));
      const { total: size } = shown.at(-1)!;
      const isWhole = shown.some(({ completed, total }) => completed < 3_000_000 && total === size);
      assertEquals(isWhole, isAsked);
    }
  });

  it("asks the registry of the variable, for five seconds, and says nothing if it is not there", async () => {
    for (const [more, requests] of [[[], 1], [["--no-manifest"], 0]] as const) {
      await withServer(sendLines(PULL_LINES), async ({ url }) => {
        const context = new TestContext(new Recorder());
        context.env.OLLAMA_PULL_REGISTRY = registry;
        assertEquals(await main(["pull", "a", "--host", url, ...more], context), EXIT.success);
        assertEquals([asked(context).length, context.stderr.text], [requests, ""]);
        assertEquals(context.waits.includes(5_000), requests > 0);
      });
    }
  });

  it("does not wait for it, and leaves it when the pull ends", async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const silent = createServer((_, response) => void response.on("close", resolve));
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    const { port } = silent.address() as AddressInfo;
    await withServer(sendLines(PULL_LINES), async ({ url }) => {
      const context = new TestContext(new Recorder());
      const args = ["pull", "a", "--host", url, "--registry", `http://127.0.0.1:${port}`];
      assertEquals(await main(args, context), EXIT.success);
      await left;
    });
    await new Promise((done) => silent.close(done));
  });

  it("tells neither it nor Ollama a secret of the other", async () => {
    await withServer((response) => void response.writeHead(503).end(), async ({ url }) => {
      const context = new TestContext(new Recorder());
      const secret = registry.replace("//", "//me:hunter2@");
      const args = ["pull", "a", "--host", url, "--retries=0", "--registry", secret];
      assertEquals(await main(args, context), EXIT.failure);
      assertStringIncludes(context.stderr.text, ` --registry 'http://***@localhost:1/mirror'`);
    });
  });
});
