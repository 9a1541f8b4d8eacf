import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import stringWidth from "string-width";
import { downloading } from "../test_helpers.ts";
import { drawPull } from "./bars.ts";

const GB = 1e9;
const NO_STEPS = { before: [], after: [] };

describe("drawPull", () => {
  it("draws a bar for each layer and one for the whole, with sizes, speed and time left", () => {
    const progress = downloading([[2 * GB, 2 * GB], [0.5 * GB, 1 * GB]], {
      bytesPerSecond: 52e6,
      etaSeconds: 85,
    });
    const steps = { before: ["pulling manifest"], after: [] };
    assertEquals(drawPull(progress, steps, { columns: 79, rows: 23 }), [
      "pulling manifest",
      "000000000000 100% ▕███████████████████████▏ 2.0 GB",
      "000000000001  50% ▕███████████            ▏ 500 MB/1.0 GB",
      "whole model   83% ▕███████████████████    ▏ 2.5 GB/3.0 GB   52 MB/s       1 min",
    ]);
  });

  it("moves speed and time to a line of their own when the screen is narrow", () => {
    const progress = downloading([[0.5 * GB, 1 * GB]], { bytesPerSecond: 52e6, etaSeconds: 85 });
    assertEquals(drawPull(progress, NO_STEPS, { columns: 40, rows: 9 }), [
      "000000000000  50% ▕███   ▏ 500 MB/1.0 GB",
      "whole model   50% ▕███   ▏ 500 MB/1.0 GB",
      "52 MB/s, 1 min left",
    ]);
  });

  it("says for how long a download is stuck, in place of its speed and time left", () => {
    const progress = downloading([[0.5 * GB, 1 * GB]], { bytesPerSecond: 52e6, etaSeconds: 85 });
    for (
      const [standstill, words] of [[12, "stuck for 12 s"], [
        3_599,
        "stuck for 59 min 59 s",
      ]] as const
    ) {
      const draw = (columns: number) =>
        drawPull(progress, NO_STEPS, { columns, rows: 9 }, { standstill });
      assertEquals(draw(79)[1]!.slice(57), words.padStart(22));
      assertEquals(draw(40)[2], words);
    }
    const verifying = { ...progress, phase: "verifying" as const };
    const drawn = drawPull(verifying, NO_STEPS, { columns: 79, rows: 9 }, { standstill: 12 });
    assertEquals(drawn.join().includes("stuck"), false);
  });

  it("says that the time left is the least while the size of the whole is unknown", () => {
    const more = { bytesPerSecond: 999e6, etaSeconds: 35_000, totalIsKnown: false };
    const progress = downloading([[0.5 * GB, 1 * GB]], more);
    const draw = (columns: number) => drawPull(progress, NO_STEPS, { columns, rows: 9 });
    assertEquals(draw(79)[1]!.slice(57), "  999 MB/s 9 h 40 min+");
    assertEquals(draw(40)[2], "999 MB/s, 9 h 40 min+ left");
  });

  it("shows no fraction of a layer whose size is unknown", () => {
    const progress = {
      ...downloading([[0, 0]]),
      layers: [{ digest: "sha256:model", completed: 5e6, done: false }],
    };
    assertEquals(
      drawPull(progress, NO_STEPS, { columns: 40, rows: 9 })[0],
      "model                      5.0 MB",
    );
  });

  it("shows bytes of the whole in place of a percentage while its size is unknown", () => {
    const progress = downloading([[0.5 * GB, 1 * GB]], { totalIsKnown: false });
    assertEquals(drawPull(progress, NO_STEPS, { columns: 40, rows: 9 }), [
      "000000000000  50% ▕███   ▏ 500 MB/1.0 GB",
      "whole model                500 MB",
    ]);
  });

  it("names a layer without a digest by the server's words", () => {
    const names = ["downloading model-1.gguf", "Pulling  abc", "pulling", "fetching", ""];
    const layers = names.map((status) => ({ status, total: 2, completed: 1, done: false }));
    const drawn = drawPull({ ...downloading([]), layers }, NO_STEPS, { columns: 40, rows: 9 });
    assertEquals(drawn.slice(0, 5).map((line) => line.slice(0, 17)), [
      "model-1.gguf  50%",
      "abc           50%",
      "pulling       50%",
      "fetching      50%",
      "              50%",
    ]);
  });

  it("is not full and does not say 100% before all is done", () => {
    const nearly = downloading([[2 ** 53 - 2, 2 ** 53 - 1]]);
    for (const line of drawPull(nearly, NO_STEPS, { columns: 79, rows: 9 })) {
      assert(line.includes(" 99% ") && line.includes("█ ▏"), line);
    }
    const verifying = { ...downloading([[9, 9]]), phase: "verifying" as const };
    const whole = drawPull(verifying, NO_STEPS, { columns: 79, rows: 9 })[1]!;
    assert(whole.includes(" 99% "), whole);
  });

  it("counts the layers that do not fit", () => {
    const layers = downloading(Array.from({ length: 50 }, () => [1, 2] as const));
    const steps = { before: ["pulling manifest"], after: [] };
    const lines = drawPull(layers, steps, { columns: 79, rows: 9 });
    assertEquals(lines.length, 9);
    assertEquals(lines[7], "… 43 more layers");
    assertEquals(lines.map((line) => line.slice(0, 12)).slice(0, 2), [
      "000000000000",
      "000000000001",
    ]);
  });

  it("shows the most interesting layers if not all fit, in their order", () => {
    const progress = downloading(Array.from({ length: 9 }, () => [1, 2] as const));
    const ranked = [progress.layers[7]!, progress.layers[3]!, ...progress.layers];
    const lines = drawPull(progress, NO_STEPS, { columns: 79, rows: 4 }, { ranked });
    assertEquals(lines.map((line) => line.slice(0, 12)), [
      "000000000003",
      "000000000007",
      "… 7 more lay",
      "whole model ",
    ]);
  });

  it("never draws more than the screen holds, whatever its size", () => {
    const steps = { before: ["pulling manifest", "日本語の状態".repeat(9)], after: ["verifying"] };
    for (const count of [0, 1, 5, 60]) {
      const layers = Array.from({ length: count }, (_, index) => [index, 60] as const);
      const progress = downloading(layers, { bytesPerSecond: 999e6, etaSeconds: 3599 });
      for (let columns = 0; columns < 90; columns++) {
        for (const rows of [0, 1, 2, 3, 5, 23]) {
          const lines = drawPull(progress, steps, { columns, rows });
          assert(lines.length <= Math.max(1, rows), `${lines.length} lines in ${rows} rows`);
          for (const line of lines) assert(stringWidth(line) <= columns, `${columns}: ${line}`);
        }
      }
    }
  });
});
