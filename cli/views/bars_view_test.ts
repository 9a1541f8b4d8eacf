import { describe, it } from "node:test";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { PullError } from "../../mod.ts";
import { downloading, Screen, step, TestContext } from "../test_helpers.ts";
import { drawPull } from "./bars.ts";
import { BarsView } from "./bars_view.ts";

const NO_STEPS = { before: [], after: [] };

function open(columns: number, rows: number) {
  const screen = new Screen(columns, rows);
  const context = new TestContext(screen);
  screen.write("$ pull\n");
  return { screen, context, view: new BarsView(context, "connecting") };
}

const layers = (count: number, completed: number) => {
  return downloading(Array.from({ length: count }, () => [completed, 100] as const));
};

describe("BarsView", () => {
  it("redraws in place", async () => {
    const { screen, context, view } = open(80, 24);
    assertEquals(await screen.look(), ["$ pull", "connecting ⠋"]);
    view.show(step("manifest", "pulling manifest"));
    for (let completed = 0; completed < 100; completed++) {
      view.show(layers(3, completed));
      context.tick();
    }
    view.show(step("verifying", "verifying sha256 digest"));
    view.show({ ...layers(3, 100), phase: "success", status: "success", fraction: 1 });
    view.end();
    const bar = "█".repeat(23);
    assertEquals(await screen.look(), [
      "$ pull",
      "pulling manifest",
      `000000000000 100% ▕${bar}▏  100 B`,
      `000000000001 100% ▕${bar}▏  100 B`,
      `000000000002 100% ▕${bar}▏  100 B`,
      `whole model  100% ▕${bar}▏  300 B`,
      "verifying sha256 digest",
      "success",
    ]);
  });

  it("writes a retry above the picture, where it stays", async () => {
    const { screen, context, view } = open(40, 24);
    view.show(layers(1, 40));
    context.tick();
    const bars = (await screen.look()).slice(1);
    const error = new PullError("stalled", "The server sent nothing for 120 s\x1b[2J");
    view.retry({ error, delayMs: 1_500, attempt: 2 });
    const retry = ["The server sent nothing for 120 s; attemp", "t 2 in 2 s"].join("");
    const lines = [retry.slice(0, 40), retry.slice(40)];
    assertEquals(await screen.look(), ["$ pull", ...lines, ...bars]);
    view.retry({ error: new PullError("network", "Gone"), delayMs: 2_000, attempt: 3 });
    view.end();
    assertEquals(await screen.look(), ["$ pull", ...lines, "Gone; attempt 3 in 2 s", ...bars]);
  });

  it("draws by the clock, however much the server sends", () => {
    const { screen, context, view } = open(80, 24);
    view.show(layers(3, 1));
    context.tick();
    const { length } = screen.text;
    for (let count = 0; count < 10_000; count++) view.show(layers(3, count % 100));
    assertEquals(screen.text.length, length);
  });

  it("says by its own clock for how long nothing came, until something does", async () => {
    const { screen, context, view } = open(80, 24);
    const whole = async () => (await screen.look()).at(-1)!.slice(57);
    view.show({ ...layers(1, 40), bytesPerSecond: 5e6, etaSeconds: 85 });
    context.tick();
    assertEquals(await whole(), "  5.0 MB/s       1 min");
    context.time += 12_000;
    context.tick();
    assertEquals(await whole(), "        stuck for 12 s");
    view.retry({ error: new PullError("network", "Gone"), delayMs: 2_000, attempt: 2 });
    assertEquals((await whole()).includes("stuck"), false);
    view.show(step("verifying", "verifying sha256 digest"));
    context.time += 65_000;
    context.tick();
    assertMatch((await screen.look()).at(-1)!, /^verifying sha256 digest . 1 min 5 s$/);
    view.end();
    assertEquals((await screen.look()).at(-1), "verifying sha256 digest");
  });

  it("turns a spinner while the server is at work on a step, and no longer", async () => {
    const { screen, context, view } = open(80, 24);
    view.show(step("verifying", "verifying sha256 digest"));
    context.tick();
    assertEquals((await screen.look()).at(-1), "verifying sha256 digest ⠙");
    context.tick();
    assertEquals((await screen.look()).at(-1), "verifying sha256 digest ⠹");
    view.show(step("success", "success"));
    context.tick();
    assertEquals((await screen.look()).slice(-2), ["verifying sha256 digest", "success"]);
    view.end();
  });

  it("leaves no spinner behind when the pull fails", async () => {
    const { screen, view } = open(80, 24);
    view.show(step("verifying", "verifying sha256 digest"));
    view.end();
    assertEquals((await screen.look()).at(-1), "verifying sha256 digest");
  });

  it("stays within a terminal with fewer rows than there are layers", async () => {
    const { screen, context, view } = open(80, 10);
    for (let completed = 0; completed < 100; completed++) {
      view.show(layers(1 + completed, completed));
      context.tick();
    }
    view.end();
    const seen = await screen.look();
    assertEquals(seen.length, 9);
    assert(seen.at(-1)!.startsWith("whole model "));
    assertEquals(await screen.scrolled(), 1); // the command line above, and nothing else
  });

  it("draws its picture whole at the bottom, however it is resized", async () => {
    const { screen, context, view } = open(80, 24);
    const sizes = [[40, 24], [100, 24], [20, 24], [33, 10], [120, 40], [1, 1], [5, 3], [80, 24]];
    for (const [columns = 0, rows = 0] of sizes) {
      view.show(layers(5, 50));
      context.tick();
      await screen.resize(columns, rows);
      context.tick();
      const picture = drawPull(layers(5, 50), NO_STEPS, { columns: columns - 1, rows: rows - 1 });
      const seen = await screen.look();
      assertEquals(seen.slice(-picture.length), picture.slice(0, rows - 1), `${columns}x${rows}`);
    }
    view.end();
  });

  it("leaves no remains of lines that a narrower terminal has wrapped", async () => {
    const { screen, context, view } = open(80, 24);
    view.show(layers(5, 50));
    context.tick();
    await screen.resize(42, 24);
    context.tick();
    const bar = "▕███    ▏";
    assertEquals(await screen.look(), [
      "$ pull",
      ...Array.from({ length: 5 }, (_, index) => `00000000000${index}  50% ${bar}   50 B/ 100 B`),
      `whole model   50% ${bar}  250 B/ 500 B`,
    ]);
    view.end();
  });

  it("assumes 80 by 24 for a terminal of unknown size", async () => {
    const screen = new Screen(80, 24);
    const stdout = {
      isTTY: true,
      columns: 0,
      rows: 0,
      write: (text: string) => screen.write(text),
    };
    const view = new BarsView(new TestContext(stdout), "connecting");
    view.show(layers(2, 50));
    view.end();
    assertEquals((await screen.look()).length, 3);
  });

  it("hides the cursor, and shows it at the end", () => {
    const { screen, context, view } = open(80, 24);
    assertEquals(screen.showsCursor, false);
    view.end();
    assertEquals(screen.showsCursor, true);
    assertEquals(context.holds.size, 0);
    assertEquals(context.callbacks.size, 0);
  });

  it("shows the cursor when the process is killed or stopped, and goes on below after that", async () => {
    const { screen, context, view } = open(80, 24);
    view.show(layers(1, 50));
    context.tick();
    for (const release of context.holds) release();
    assertEquals(screen.showsCursor, true);
    screen.write("[1]+ Stopped\n$ fg\n");
    view.show(layers(1, 60));
    context.tick();
    assertEquals(screen.showsCursor, false);
    const seen = (await screen.look()).map((line) => line.slice(0, 17));
    assertEquals(seen, [
      "$ pull",
      "000000000000  50%",
      "whole model   50%",
      "[1]+ Stopped",
      "$ fg",
      "000000000000  60%",
      "whole model   60%",
    ]);
    view.end();
  });

  it("takes away the ^C that a terminal writes", async () => {
    const { screen, context, view } = open(80, 24);
    view.show(layers(1, 50));
    context.tick();
    screen.write("^C");
    view.end();
    screen.write("Cancelled\n");
    assertEquals((await screen.look()).at(-1), "Cancelled");
  });

  it("does not obey escape sequences of the server", () => {
    const { screen, context, view } = open(80, 24);
    view.show(step("removing", "couldn't remove unused layers: \x1b[2J\x1b]0;pwned\x07\nx"));
    view.show({
      ...layers(1, 50),
      layers: [{ digest: "\x1b[2J\x9b2J", completed: 1, done: false }],
    });
    context.tick();
    view.end();
    // deno-lint-ignore no-control-regex
    assertEquals(/\x1b\[2J|\x1b\]|\x9b/.test(screen.text), false);
  });

  it("does not grow with a server that has ever new words", async () => {
    const { screen, context, view } = open(80, 24);
    for (let count = 0; count < 100; count++) view.show(step("removing", `removing ${count}`));
    context.tick();
    view.end();
    const seen = await screen.look();
    assertEquals([seen.length, seen.at(-1)], [7, "removing 99"]);
  });
});
