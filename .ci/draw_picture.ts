/**
 * Draws the picture in README.md: what `pull` shows in a terminal in the middle of a
 * pull from the mock, drawn by the same code. Virtual time makes it reproducible.
 *
 * Run it with `deno run -A .ci/draw_picture.ts` when the bars have changed (a test fails then).
 *
 * @module
 */

import { html } from "hono/html";
import { join } from "node:path";
import { drawPull } from "../cli/views/bars.ts";
import { createMockServer } from "../mock/mod.ts";
import { pull, type PullProgress } from "../mod.ts";
import { ROOT } from "./project.ts";

/** The path of the picture. */
export const PICTURE = "cli/views/bars.svg";

const COLUMNS = 84;
const ROWS = 12;
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 20;
const MARGIN = 16;

/** How much of the pull in the picture is done. */
const SHOWN_FRACTION = 0.62;

async function progressAt(fraction: number): Promise<PullProgress> {
  const { fetch, clock, registry } = createMockServer({ models: ["llava"], dialect: "client2" });
  const { layers, config } = await registry.manifest("llava");
  const options = { fetch, now: () => clock.now(), layers: [...layers, config] };
  for await (const progress of pull("llava", options)) {
    if (progress.fraction >= fraction) return progress;
  }
  throw new Error("The pull ended before it could be drawn");
}

/** The picture as SVG. */
export async function drawPicture(): Promise<string> {
  const progress = await progressAt(SHOWN_FRACTION);
  const steps = { before: ["$ ollama-pull pull llava", "pulling manifest"], after: [] };
  const lines = drawPull(progress, steps, { columns: COLUMNS, rows: ROWS });
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const texts = lines.map((line, index) => {
    const y = MARGIN + (index + 0.75) * LINE_HEIGHT;
    const length = Math.round(line.length * CHARACTER_WIDTH * 10) / 10;
    return html`<text x="${MARGIN}" y="${y}" textLength="${length}">${line}</text>`;
  });
  const title = "Progress bars in a terminal: one for each layer and one for the whole model";
  const font = "14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">`,
    `<title>${title}</title>`,
    `<style>text { font: ${font}; fill: #d6deeb; white-space: pre }</style>`,
    '<rect width="100%" height="100%" rx="8" fill="#111827"/>',
    ...await Promise.all(texts),
    "</svg>\n",
  ].map((part) => String(part).trimStart()).join("\n");
}

if (import.meta.main) await Deno.writeTextFile(join(ROOT, PICTURE), await drawPicture());
