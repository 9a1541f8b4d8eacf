import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { PullError } from "../../mod.ts";
import { downloading, Recorder, Screen, step, TestContext } from "../test_helpers.ts";
import { BarsView } from "./bars_view.ts";
import { JsonView } from "./json_view.ts";
import { createView, LinesView } from "./progress_view.ts";

const WANTED = { model: "a", form: "suitable", opening: "connecting" } as const;

function openLines() {
  const context = new TestContext(new Recorder());
  return { context, view: new LinesView(context) };
}

describe("createView", () => {
  it("draws bars on a terminal, and writes lines elsewhere", async () => {
    const onScreen = await createView(new TestContext(new Screen(80, 24)), WANTED);
    assertInstanceOf(onScreen, BarsView);
    onScreen.end();
    assertInstanceOf(await createView(new TestContext(new Recorder()), WANTED), LinesView);
  });

  it("writes lines on a terminal that cannot move its cursor", async () => {
    const context = new TestContext(new Screen(80, 24));
    context.env.TERM = "dumb";
    assertInstanceOf(await createView(context, WANTED), LinesView);
  });

  it("writes JSON when it is asked to, on a terminal too", async () => {
    const context = new TestContext(new Screen(80, 24));
    assertInstanceOf(await createView(context, { ...WANTED, form: "json" }), JsonView);
    assertEquals(context.stdout.text, "");
  });

  it("writes nothing when it is asked to", async () => {
    const context = new TestContext(new Screen(80, 24));
    const view = await createView(context, { ...WANTED, form: "quiet" });
    view.show(downloading([[1, 2]]));
    view.retry({ error: new PullError("network", "a"), delayMs: 1, attempt: 2 });
    view.end();
    assertEquals(context.stdout.text, "");
  });
});

describe("LinesView", () => {
  it("writes a line for each retry", () => {
    const { context, view } = openLines();
    const error = new PullError("stalled", "The server sent nothing for 120 s");
    view.retry({ error, delayMs: 1_500, attempt: 2 });
    assertEquals(context.stdout.lines, ["The server sent nothing for 120 s; attempt 2 in 2 s"]);
  });

  it("writes the server's steps and how far the download has come", () => {
    const { context, view } = openLines();
    view.show(step("manifest", "pulling manifest"));
    view.show(downloading([[0, 4e9]]));
    context.time = 2_000;
    view.show(downloading([[1e9, 4e9]], { bytesPerSecond: 5e8, etaSeconds: 6 }));
    view.show(step("verifying", "verifying sha256 digest"));
    view.show(step("success", "success"));
    view.end();
    assertEquals(context.stdout.lines, [
      "pulling manifest",
      "pulling 0%, 0 B of 4.0 GB",
      "pulling 25%, 1.0 GB of 4.0 GB, 500 MB/s, 6 s left",
      "verifying sha256 digest",
      "success",
    ]);
  });

  it("writes bytes in place of a percentage while the size of the whole is unknown", () => {
    const { context, view } = openLines();
    const unknown = { totalIsKnown: false, fraction: 0.99 };
    for (const bytes of [990e6, 990e6, 994e6, 1.1e9]) {
      view.show(downloading([[bytes, 1e9]], { ...unknown, bytesPerSecond: 5e6 }));
      context.time += 2_000;
    }
    view.show(downloading([[1.2e9, 4e9]]));
    assertEquals(context.stdout.lines, [
      "pulling 990 MB, 5.0 MB/s",
      "pulling 1.1 GB, 5.0 MB/s",
      "pulling 30%, 1.2 GB of 4.0 GB",
    ]);
  });

  it("writes no more than a few hundred lines of a slow download of unknown size", () => {
    const { context, view } = openLines();
    for (let seconds = 0; seconds < 4_000; seconds++) {
      context.time += 1_000;
      view.show(downloading([[seconds * 1e6, 4e9]], { totalIsKnown: false }));
    }
    const { length } = context.stdout.lines;
    assert(length > 200 && length < 600, String(length));
  });

  it("writes the download once a second at most", () => {
    const { context, view } = openLines();
    for (let bytes = 0; bytes < 10_000; bytes++) {
      context.time += 1;
      view.show(downloading([[bytes, 10_000]]));
    }
    assertEquals(context.stdout.lines.length, 10);
  });

  it("writes a long download about a hundred times, and less and less often when it stands still", () => {
    for (const talks of [true, false]) {
      const { context, view } = openLines();
      for (let seconds = 0; seconds < 36_000; seconds++) {
        context.time += 1_000;
        const completed = Math.min(seconds * 100, 99_000);
        if (talks || seconds <= 990) view.show(downloading([[completed, 100_000]]));
        context.tick();
      }
      view.end();
      assertEquals(context.callbacks.size, 0);
      const stuck = context.stdout.lines.filter((line) => line.includes("stuck"));
      assertEquals(stuck.slice(0, 3), [
        "pulling 99%, 99 kB of 100 kB, stuck for 10 s",
        "pulling 99%, 99 kB of 100 kB, stuck for 20 s",
        "pulling 99%, 99 kB of 100 kB, stuck for 40 s",
      ]);
      const { length } = context.stdout.lines;
      assert(length > 90 && length < 130, String(length));
    }
  });

  it("tells anew of each standstill, and of none during a step that takes its time", () => {
    const { context, view } = openLines();
    const wait = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        context.time += 1_000;
        context.tick();
      }
    };
    const quick = { bytesPerSecond: 5e6, etaSeconds: 85 };
    view.show(downloading([[1e6, 4e6]], quick));
    wait(25);
    view.show(downloading([[2e6, 4e6]], { ...quick, totalIsKnown: false }));
    wait(12);
    view.show(step("verifying", "verifying sha256 digest"));
    wait(60);
    assertEquals(context.stdout.lines, [
      "pulling 25%, 1.0 MB of 4.0 MB, 5.0 MB/s, 1 min left",
      "pulling 25%, 1.0 MB of 4.0 MB, stuck for 10 s",
      "pulling 25%, 1.0 MB of 4.0 MB, stuck for 20 s",
      "pulling 2.0 MB, 5.0 MB/s, 1 min+ left",
      "pulling 2.0 MB, stuck for 10 s",
      "verifying sha256 digest",
    ]);
  });

  it("says each step once, and is not flooded by a server that changes its mind all the time", () => {
    const { context, view } = openLines();
    for (let count = 0; count < 10_000; count++) {
      context.time += 1;
      view.show(step("manifest", "pulling manifest"));
      view.show(step("writing", `writing ${count}`));
      view.show(downloading([[count, 10_000]]));
    }
    const { length } = context.stdout.lines;
    assert(length < 40, String(length));
  });

  it("does not obey escape sequences of the server", () => {
    const { context, view } = openLines();
    view.show(step("removing", "couldn't remove: \x1b[2J\nfake line"));
    assertEquals(context.stdout.lines, ["couldn't remove: fake line"]);
  });

  it("names the phase where the server has no words", () => {
    const { context, view } = openLines();
    view.show(step("manifest", ""));
    assertEquals(context.stdout.lines, ["manifest"]);
  });
});
