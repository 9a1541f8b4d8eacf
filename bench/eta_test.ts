/**
 * Shows that the time left is measured rightly: the downloads are what their lines say, and the methods
 * tell what they should of a download whose end is known.
 *
 * @module
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { errorsOf, measureEta, tellOurs, tellRival } from "./eta.ts";
import { METHODS, type Rival, RIVALS } from "./eta_methods.ts";
import { drawPage } from "./eta_page.ts";
import { type Download, drawDownloads, SHAPES } from "./eta_traces.ts";
import { judge } from "./goals.ts";

/** A download of 100 bytes a second, whose lines come once a second. */
function steadyDownload(seconds: number): Download {
  const total = seconds * 100;
  const arrivals = Array.from({ length: seconds + 1 }, (_, second) => {
    const status = { status: "pulling a", digest: "sha256:a", total, completed: second * 100 };
    return { at: second * 1_000, lines: `${JSON.stringify(status)}\n`, completed: second * 100 };
  });
  const end = '{"status":"success"}\n';
  arrivals.push({ at: seconds * 1_000, lines: end, completed: total });
  return { shape: "steady", arrivals, total, seconds };
}

/** The bytes that the lines of a download say are present, after each chunk. */
function completionsOf({ arrivals }: Download): number[] {
  const layers = new Map<string, number>();
  return arrivals.map(({ lines }) => {
    for (const line of lines.trimEnd().split("\n")) {
      const { digest, completed = 0 } = JSON.parse(line);
      if (digest !== undefined) layers.set(digest, completed);
    }
    return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
  });
}

describe("the downloads", () => {
  for (const shape of SHAPES) {
    it(`of the shape "${shape.name}" are the same each time, and what their lines say`, () => {
      const downloads = drawDownloads(shape, "tuning", 2);
      assertEquals(drawDownloads(shape, "tuning", 2), downloads);
      for (const download of downloads) {
        const { arrivals, total, seconds } = download;
        const completions = completionsOf(download);
        assertEquals(completions, arrivals.map(({ completed }) => completed));
        assertEquals([completions[0], completions.at(-1)], [0, total]);
        assertEquals([arrivals[0]!.at, arrivals.at(-1)!.at], [0, seconds * 1_000]);
        assert(seconds > 30, `${seconds}`);
        const falls = completions.filter((completed, index) => completed < completions[index - 1]!);
        assertEquals(falls.length, shape.isRolledBack ? 1 : 0);
      }
    });
  }

  it("of one purpose are other ones than those of another", () => {
    const [tuning] = drawDownloads(SHAPES[0]!, "tuning", 1);
    const [heldOut] = drawDownloads(SHAPES[0]!, "held out", 1);
    assert(tuning!.total !== heldOut!.total);
  });

  it("are of ten shapes at least, half of which are held out", () => {
    assert(SHAPES.length >= 10);
    assertEquals(SHAPES.filter(({ isHeldOut }) => isHeldOut).length, SHAPES.length / 2);
  });
});

describe("what is told", () => {
  const download = steadyDownload(40);

  it("is right while the speed is steady, by every method", async () => {
    const all = [await tellOurs(download), ...RIVALS.map((rival) => tellRival(rival, download))];
    for (const told of all) {
      assertEquals(told.length, 41);
      for (let second = 3; second < 40; second++) {
        assertAlmostEquals(told[second]!, 40 - second, 1e-6);
      }
    }
  });

  it("is what was last told by that second", async () => {
    const late = download.arrivals.map((arrival) => ({ ...arrival, at: arrival.at + 100 }));
    const told = await tellOurs({ ...download, arrivals: late });
    assertAlmostEquals(told[20]!, 21, 1e-6);
  });

  it("is wrong by the part of the time left by which it differs, or by all of it if it is absent", () => {
    const told = Array.from({ length: 41 }, (_, second) => second < 20 ? undefined : 10);
    const errors = errorsOf(told, download);
    assertEquals(errors.length, 37); // the seconds from 2 to 38
    assertEquals(errors.slice(0, 18), Array(18).fill(1));
    const [atTwenty, atThirty, atThirtyEight] = [errors[18], errors[28], errors[36]];
    assertEquals([atTwenty, atThirty, atThirtyEight], [0.5, 0, 4]);
  });
});

describe("the other methods", () => {
  const TOTAL = 1_000_000;

  /** What a method tells at a time of a download that falls from 10,000 to 1,000 bytes a second at 10 s. */
  function tellAt(name: Rival, end: number): { told: number | undefined; left: number } {
    const method = METHODS[name]();
    let completed = 0;
    method.update(completed, TOTAL, 0);
    for (let at = 100; at <= end; at += 100) {
      completed += at <= 10_000 ? 1_000 : 100;
      method.update(completed, TOTAL, at);
    }
    return { told: method.secondsLeft(end), left: TOTAL - completed };
  }

  it("go by all that came so far", () => {
    const { told, left } = tellAt("overall mean", 20_000);
    assertAlmostEquals(told!, left / (110_000 / 20), 1e-6);
  });

  it("go by the last second", () => {
    const { told, left } = tellAt("last second", 10_500);
    assertAlmostEquals(told!, left / 5_500, 1e-6);
    const later = tellAt("last second", 11_000);
    assertAlmostEquals(later.told!, later.left / 1_000, 1e-6);
  });

  it("go by ten figures more than a second apart, as ollama pull does, and by whole seconds", () => {
    assertEquals(tellAt("ollama pull", 1_000).told, undefined);
    // The figures are 1.1 s apart, the first and the last of ten 9.9 s, which are taken for 10.
    const { told, left } = tellAt("ollama pull", 20_800); // from 9.9 to 19.8 s
    assertEquals(told, Math.floor(left / 1_080));
    const later = tellAt("ollama pull", 20_900); // from 11 to 20.9 s
    assertEquals(later.told, Math.floor(later.left / 990));
  });
});

describe("the time left that we tell", () => {
  it("meets its goals, and its page shows it on every shape", async () => {
    const eta = await measureEta(3);
    const empty = {
      clock: "cpu",
      lines: 0,
      rounds: 0,
      versions: {},
      speed: [],
      memory: [],
    } as const;
    const missed = judge({ ...empty, growth: {}, eta }).filter(({ isMet }) => !isMet);
    assertEquals(missed.map(({ goal, figure }) => `${goal.name}: ${figure}`), []);
    const page = await drawPage(eta);
    for (const { name } of SHAPES) assert(page.includes(`>${name}</text>`), name);
    assert(!page.includes("NaN"));
  });
});
