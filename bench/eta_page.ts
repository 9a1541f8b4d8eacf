/**
 * Draws the estimates of each method during a download, for one download of each shape, and their errors: the
 * page of `deno task bench eta --page FILE`.
 *
 * @module
 */

import { type Eta, METHOD_NAMES, type MethodName, tellOurs, tellRival, type Told } from "./eta.ts";
import { RIVALS } from "./eta_methods.ts";
import { type Download, drawDownloads, SHAPES } from "./eta_traces.ts";
import { drawPicture, element, rounded, text } from "./svg.ts";

const COLUMNS = 3;
const MARGIN = 28;
const GAP = 36;
const TOP = 96;
/** The area for the curves of a download, and the margins above and below it. */
const WIDTH = 300;
const HEIGHT = 150;
const ABOVE = 42;
const BELOW = 34;

/** The largest time left that is shown, in durations of the download. */
const MOST_TOLD = 1.6;

/** The curves, in the order in which they are drawn. */
const CURVES: readonly { name: MethodName; kind: string }[] = [
  { name: "last second", kind: "second" },
  { name: "ollama pull", kind: "ollama" },
  { name: "overall mean", kind: "mean" },
  { name: "ours", kind: "ours" },
];

const STYLE = `
.title { font-size: 16px; font-weight: 600; fill: #f1f5f9 }
.shape { font-size: 13px; font-weight: 600; fill: #f1f5f9 }
.end { text-anchor: end }
path { fill: none; stroke-width: 1.2; stroke-linejoin: round }
.axis { stroke: #334155 }
.truth { stroke: #f1f5f9; stroke-dasharray: 3 3 }
.speed { fill: #1e293b }
.ours { stroke: #34d399; stroke-width: 2 }
.mean { stroke: #60a5fa }
.second { stroke: #64748b; stroke-width: 0.8 }
.ollama { stroke: #fb923c }
`;

const percent = (part: number) => `${(part * 100).toFixed(1)} %`;

/** A length of time in words. */
function duration(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** Draws in the area of one download's curves. */
class Panel {
  readonly #left: number;
  readonly #top: number;
  readonly #seconds: number;

  constructor(left: number, top: number, seconds: number) {
    this.#left = left;
    this.#top = top;
    this.#seconds = seconds;
  }

  #x(second: number): number {
    return rounded(this.#left + WIDTH * second / this.#seconds);
  }

  /** The height of a value from 0 to 1. */
  #y(part: number): number {
    return rounded(this.#top + HEIGHT * (1 - part));
  }

  /** A curve of values from 0 to 1, one per second, which may have gaps. */
  curve(kind: string, parts: readonly (number | undefined)[]): string {
    let path = "";
    let isDrawing = false;
    for (const [second, part] of parts.entries()) {
      if (part !== undefined) {
        path += `${isDrawing ? "L" : "M"}${this.#x(second)} ${this.#y(part)}`;
      }
      isDrawing = part !== undefined;
    }
    return element("path", { class: kind, d: path });
  }

  /** An estimated time left, cut off at the upper edge. */
  told(kind: string, told: Told): string {
    const most = this.#seconds * MOST_TOLD;
    return this.curve(
      kind,
      told.map((left) => left === undefined ? left : Math.min(1, left / most)),
    );
  }

  /** The area below a curve from 0 to 1. */
  area(kind: string, parts: readonly number[]): string {
    const top = parts.map((part, second) => `L${this.#x(second)} ${this.#y(part)}`).join("");
    const [start, end] = [this.#x(0), this.#x(parts.length - 1)];
    return element("path", {
      class: kind,
      d: `M${start} ${this.#y(0)}${top}L${end} ${this.#y(0)}Z`,
    });
  }
}

/** The mean speed in each second, as a part of the highest one, which is a third of the height. */
function speedsOf({ arrivals, seconds }: Download): number[] {
  const speeds = Array.from({ length: Math.floor(seconds) }, () => 0);
  let before = 0;
  for (const { at, completed } of arrivals) {
    const second = Math.floor(at / 1_000);
    // The last second is rarely a whole one, so it is left out.
    if (second < speeds.length) speeds[second]! += Math.max(0, completed - before);
    before = completed;
  }
  const most = Math.max(...speeds);
  return speeds.map((speed) => speed / most / 3);
}

/** The estimates of each method for a download. */
async function drawCurves(panel: Panel, download: Download): Promise<string[]> {
  const told = new Map<MethodName, Told>([
    ["ours", await tellOurs(download)],
    ...RIVALS.map((rival) => [rival, tellRival(rival, download)] as const),
  ]);
  const { seconds } = download;
  const truth = Array.from({ length: Math.ceil(seconds) }, (_, second) => seconds - second);
  return [
    panel.area("speed", speedsOf(download)),
    ...CURVES.map(({ name, kind }) => panel.told(kind, told.get(name)!)),
    panel.told("truth", truth),
  ];
}

/** The median errors for the held-out downloads of a shape: ours, and the best other method. */
function describe(eta: Eta, name: string): string {
  const trace = eta.traces.find((one) => one.name === name && one.purpose === "held out");
  if (trace === undefined) return "";
  const best = RIVALS.toSorted((a, b) => trace.errors[a].median - trace.errors[b].median)[0]!;
  const { ours } = trace.errors;
  return `wrong by ${percent(ours.median)}; best other, ${best}: ${
    percent(trace.errors[best].median)
  }`;
}

function drawLegend(y: number): string[] {
  const entries = [...CURVES.toReversed(), { name: "truth", kind: "truth" }];
  let x = MARGIN;
  return entries.flatMap(({ name, kind }) => {
    const line = element("path", { class: kind, d: `M${x} ${y}h22` });
    const label = text("key", x + 28, y, name);
    x += 46 + name.length * 7;
    return [line, label];
  }).concat(text("key", x, y, "grey area: the speed"));
}

/** The page for some results. */
export async function drawPage(eta: Eta): Promise<string> {
  const title = "Time left, as it is told at each second of a download";
  const overall = METHOD_NAMES.map((name) => `${name} ${percent(eta.heldOut[name].median)}`);
  const width = 2 * MARGIN + COLUMNS * WIDTH + (COLUMNS - 1) * GAP;
  const parts = [
    text("title", MARGIN, 28, title),
    text("key", MARGIN, 52, `Median errors, held-out downloads: ${overall.join(", ")}`),
    ...drawLegend(76),
  ];
  for (const [index, shape] of SHAPES.entries()) {
    const [download] = drawDownloads(shape, "held out", 1);
    const { seconds } = download!;
    const left = MARGIN + (index % COLUMNS) * (WIDTH + GAP);
    const top = TOP + Math.floor(index / COLUMNS) * (ABOVE + HEIGHT + BELOW) + ABOVE;
    const bottom = top + HEIGHT;
    parts.push(
      text("shape", left, top - 28, shape.name),
      text("key", left, top - 12, describe(eta, shape.name)),
      ...await drawCurves(new Panel(left, top, seconds), download!),
      element("path", { class: "axis", d: `M${left} ${top}V${bottom}H${left + WIDTH}` }),
      text("key", left, bottom + 12, "0"),
      text("key end", left + WIDTH, bottom + 12, duration(seconds)),
    );
  }
  const height = TOP + Math.ceil(SHAPES.length / COLUMNS) * (ABOVE + HEIGHT + BELOW) + MARGIN / 2;
  return drawPicture({ title, width, height, style: STYLE }, parts);
}
