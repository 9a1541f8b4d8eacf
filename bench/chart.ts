/**
 * Draws the chart in README.md and bench/README.md: how many lines per second each contender decodes, for both
 * jobs and in each runtime.
 *
 * @module
 */

import type { Job } from "./contenders.ts";
import { CONTENDERS } from "./contenders.ts";
import { type BenchRecord, contendersOf, RUNTIME_NAMES, type SpeedEntry } from "./record.ts";
import type { RuntimeName } from "./runtimes.ts";
import { drawPicture, element, rounded, text } from "./svg.ts";

const WIDTH = 880;
const MARGIN = 24;
const GAP = 32;
const COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2;
const LABELS = 158;
const VALUES = 40;
const ROW = 19;
const BAR = 13;
const TITLE = 30;
const HEADING = 30;
const GROUP_GAP = 16;

const COLUMNS: readonly { job: Job; heading: string }[] = [
  { job: "progress", heading: "Progress of the whole, once a chunk" },
  { job: "events", heading: "Every status, one by one" },
];

const isOurs = ({ contender, job }: SpeedEntry) =>
  CONTENDERS.some((one) => one.name === contender && one.job === job && one.kind === "ours");

const millionsOf = ({ nsPerLine }: SpeedEntry) => 1_000 / nsPerLine;

/** A value with two significant digits. */
const digits = (value: number) => value >= 10 ? value.toFixed(0) : value.toPrecision(2);

/** The bars of one job in one runtime: our contenders first, as they are listed, then the fastest others. */
function entriesOf(record: BenchRecord, runtime: RuntimeName, job: Job): SpeedEntry[] {
  const entries = contendersOf(record, { runtime, job, chunking: "replay" })
    .filter(({ contender }) => !contender.endsWith(", typed"));
  const others = entries.filter((entry) => !isOurs(entry));
  return [
    ...entries.filter(isOurs),
    ...others.toSorted((a, b) => a.nsPerLine - b.nsPerLine),
  ];
}

function drawBar(entry: SpeedEntry, x: number, y: number, perMillion: number): string {
  const value = millionsOf(entry);
  const width = Math.max(1, rounded(value * perMillion));
  const barX = x + LABELS;
  const middle = y + ROW / 2;
  return element(
    "g",
    { class: isOurs(entry) ? "ours" : "other" },
    text("label", barX - 8, middle, entry.contender),
    element("rect", { x: barX, y: middle - BAR / 2, width, height: BAR, rx: 2 }),
    text("value", rounded(barX + width + 6), middle, digits(value)),
  );
}

/** The legend, at the right end of a line. */
function drawLegend(y: number): string[] {
  return ([["ours", "this package", 188], ["other", "others", 58]] as const).map(
    ([kind, label, fromEnd]) => {
      const x = WIDTH - MARGIN - fromEnd;
      const square = element("rect", { x, y: y - 5, width: 10, height: 10, rx: 2 });
      return element("g", { class: kind }, square, text("key", x + 16, y, label));
    },
  );
}

/** The left edge of a column. */
const columnX = (index: number) => MARGIN + index * (COLUMN + GAP);

/** Draws the bars of one runtime from a line downwards, and returns where they end. */
function drawRuntime(
  record: BenchRecord,
  runtime: RuntimeName,
  top: number,
  perMillion: readonly number[],
): { parts: string[]; bottom: number } {
  const columns = COLUMNS.map(({ job }) => entriesOf(record, runtime, job));
  const rows = Math.max(...columns.map((entries) => entries.length));
  const y = top + HEADING;
  const bars = columns.flatMap((entries, index) =>
    entries.map((entry, at) => drawBar(entry, columnX(index), y + at * ROW, perMillion[index]!))
  );
  const parts = [
    text("runtime", MARGIN, top + 8, `${runtime} ${record.versions[runtime] ?? ""}`),
    element("path", { class: "rule", d: `M${MARGIN} ${top + 18}H${WIDTH - MARGIN}` }),
    ...bars,
  ];
  return { parts, bottom: y + rows * ROW };
}

const STYLE = `
.title { font-size: 16px; font-weight: 600; fill: #f1f5f9 }
.job { font-size: 13px; fill: #cbd5e1 }
.runtime { font-size: 13px; font-weight: 600; fill: #f1f5f9 }
.rule { stroke: #334155; fill: none }
.label { text-anchor: end }
.other rect { fill: #64748b }
.ours rect { fill: #34d399 }
.ours text { fill: #f1f5f9; font-weight: 600 }
`;

/** The chart as SVG. */
export function drawChart(record: BenchRecord): string {
  const top = MARGIN + 10;
  const parts = [
    text("title", MARGIN, top, "Million lines a second, 64 KiB a chunk: more is better"),
    ...drawLegend(top),
    ...COLUMNS.map(({ heading }, index) => text("job", columnX(index), top + TITLE, heading)),
  ];
  // Bars of one job are as long as each other where they stand for as much, in all runtimes.
  const perMillion = COLUMNS.map(({ job }) => {
    const entries = RUNTIME_NAMES.flatMap((name) => entriesOf(record, name, job));
    return (COLUMN - LABELS - VALUES) / Math.max(...entries.map(millionsOf));
  });
  let y = MARGIN + TITLE + HEADING;
  for (const runtime of RUNTIME_NAMES) {
    const { parts: drawn, bottom } = drawRuntime(record, runtime, y, perMillion);
    parts.push(...drawn);
    y = bottom + GROUP_GAP;
  }
  const height = y - GROUP_GAP + MARGIN;
  const title = "How many lines a second this package decodes, and what else decodes pulls";
  return drawPicture({ title, width: WIDTH, height, style: STYLE }, parts);
}
