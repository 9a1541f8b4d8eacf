import { describe, it } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { EXIT, Interruption } from "../command.ts";
import { main } from "../main.ts";
import {
  PULL_LINES,
  Recorder,
  Screen,
  sendLines,
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
      assertEquals(context.stdout.lines.at(-1), "success");
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
    await withServer((response) => {
      response.write(PULL_LINES.slice(0, 2).join(""), () => response.destroy());
    }, async ({ url }) => {
      assertEquals(await main(["pull", "a", "--host", url], context), EXIT.failure);
      assertStringIncludes(context.stderr.text, "error: The connection broke: ");
      assertStringIncludes(context.stderr.text, `to resume, run: ollama-pull pull a --host ${url}`);
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
          assertEquals(await main(["pull", "a", "--host", host], context), EXIT.failure);
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

describe("main", () => {
  it("answers wrong usage with one line and the exit code 2", async () => {
    const wrong: [args: string[], message: string][] = [
      [["pull"], "error: missing required argument 'model'"],
      [
        ["pull", ""],
        'error: Cannot use the model name "": the model is missing; the form is [host[:port]/][namespace/]model[:tag]',
      ],
      [["pull", "a", "--jsno"], "error: unknown option '--jsno' (Did you mean --json?)"],
      [["pull", "a", "b"], "error: too many arguments for 'pull'. Expected 1 argument but got 2."],
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

  it("prints its version", async () => {
    const context = new TestContext(new Recorder());
    assertEquals(await main(["--version"], context), EXIT.success);
    assertEquals(/^\d+\.\d+\.\d+\n$/.test(context.stdout.text), true);
  });
});
