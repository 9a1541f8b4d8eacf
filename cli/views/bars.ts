/**
 * Draws a pull as lines of text that fit a screen. It does not access a terminal.
 *
 *     pulling manifest
 *     dde5aa3fc5ff  33% ▕███████              ▏ 664 MB/2.0 GB
 *     966de95ca8a6   0% ▕                     ▏    0 B/1.4 kB
 *     whole model   33% ▕███████              ▏ 664 MB/2.0 GB   52 MB/s        25 s
 *
 * On a narrow screen, columns are dropped or moved to a separate line. Layers that do not fit are counted in
 * one line.
 *
 * @module
 */

import { formatProgress, type PullLayer, type PullProgress } from "../../mod.ts";
import { formatBytes, formatPercent } from "../../src/amounts.ts";
import { shortDigest } from "../../src/digest.ts";
import { fitWidth } from "../fit_width.ts";
import { printable } from "../printable.ts";
import { describeStandstill } from "./standstill.ts";

/** The size of a screen, in characters. */
export interface Size {
  /** The width. */
  readonly columns: number;
  /** The height. */
  readonly rows: number;
}

/** The server's statuses before and after the download. */
export interface Steps {
  /** Those before. */
  readonly before: readonly string[];
  /** Those after. */
  readonly after: readonly string[];
}

const LABEL_COLUMNS = 12; // a short digest
const PERCENT_COLUMNS = 4; // "100%"
const SIZES_COLUMNS = 13; // "999 MB/999 MB"
const SPEED_COLUMNS = 10; // "  999 MB/s"
const TIME_COLUMNS = 12; // " 9 h 50 min+"
const EDGES_COLUMNS = 4; // around the bar: a space and a line on each side
const SHORTEST_BAR = 5;

const HEAD_COLUMNS = LABEL_COLUMNS + 1 + PERCENT_COLUMNS;
const COLUMNS_WITH_SIZES = HEAD_COLUMNS + 1 + SIZES_COLUMNS;
const COLUMNS_WITH_BAR = HEAD_COLUMNS + EDGES_COLUMNS + SHORTEST_BAR + SIZES_COLUMNS;
const COLUMNS_WITH_SPEED = COLUMNS_WITH_BAR + SPEED_COLUMNS + TIME_COLUMNS;

/** Additional details about a pull. */
export interface Details {
  /** The layers, the most interesting first, because not all of them may fit. */
  readonly ranked?: readonly PullLayer[];
  /** For how many seconds there has been no progress, if that is long. */
  readonly standstill?: number | undefined;
}

/** The progress of a layer, or of the whole. */
interface Row {
  readonly label: string;
  readonly completed: number;
  /** The size, if known. If not, there is no percentage and no bar, since an empty bar would mean 0 %. */
  readonly total: number | undefined;
  readonly fraction: number;
  readonly done: boolean;
}

/**
 * The lines that show a pull. They fit the width and the height of the screen.
 *
 * @param progress The progress.
 * @param steps The statuses around the download.
 * @param size The size of the screen.
 * @param details Additional details.
 */
export function drawPull(
  progress: PullProgress,
  steps: Steps,
  size: Size,
  { ranked = progress.layers, standstill }: Details = {},
): string[] {
  const whole = progress.layers.length === 0 ? [] : drawWhole(progress, size.columns, standstill);
  const end = [...whole, ...steps.after].slice(-Math.max(1, size.rows));
  const layers = drawLayers(progress.layers, ranked, {
    columns: size.columns,
    rows: size.rows - end.length,
  });
  const room = Math.max(0, size.rows - end.length - layers.length);
  const start = room === 0 ? [] : steps.before.slice(-room);
  return [...start, ...layers, ...end].map((line) => fitWidth(line.trimEnd(), size.columns));
}

function drawWhole(
  progress: PullProgress,
  columns: number,
  standstill: number | undefined,
): string[] {
  const { completed, totalIsKnown, fraction, phase } = progress;
  const total = totalIsKnown ? progress.total : undefined;
  const done = phase === "success";
  const row = drawRow({ label: "whole model", completed, total, fraction, done }, columns);
  if (phase === "downloading" && standstill !== undefined) {
    const stuck = describeStandstill(standstill);
    return columns >= COLUMNS_WITH_SPEED
      ? [row + stuck.padStart(SPEED_COLUMNS + TIME_COLUMNS)]
      : [row, stuck];
  }
  if (columns >= COLUMNS_WITH_SPEED) {
    const { speed = "", timeLeft = "" } = formatProgress(progress, { words: { left: "{time}" } });
    return [row + speed.padStart(SPEED_COLUMNS) + timeLeft.padStart(TIME_COLUMNS)];
  }
  const { speed, timeLeft } = formatProgress(progress);
  const ownLine = [speed, timeLeft].filter((part) => part !== undefined).join(", ");
  return ownLine === "" ? [row] : [row, ownLine];
}

function drawLayers(
  layers: readonly PullLayer[],
  ranked: readonly PullLayer[],
  { columns, rows }: Size,
): string[] {
  const draw = (layer: PullLayer) => drawRow(toRow(layer), columns);
  if (layers.length <= rows) return layers.map(draw);
  if (rows < 1) return [];
  const shown = new Set(ranked.slice(0, rows - 1));
  const count = `… ${layers.length - shown.size} more layers`;
  return [...layers.filter((layer) => shown.has(layer)).map(draw), count];
}

function toRow(layer: PullLayer): Row {
  const { completed, total, done } = layer;
  const fraction = done ? 1 : completed / (total ?? Infinity);
  return { label: labelOf(layer), completed, total, fraction, done };
}

/** A short label for a layer: its digest, or the server's words without the verb. */
function labelOf({ digest, status }: PullLayer): string {
  if (digest !== undefined) return printable(shortDigest(digest));
  return printable(status).replace(/^(?:downloading|pulling) +/i, "");
}

function drawRow(row: Row, columns: number): string {
  const label = fitWidth(row.label, LABEL_COLUMNS).padEnd(LABEL_COLUMNS);
  const fraction = row.done || row.total !== undefined ? row.fraction : undefined;
  const percent = fraction === undefined ? "" : formatPercent(fraction);
  const head = `${label} ${percent.padStart(PERCENT_COLUMNS)}`;
  if (columns < COLUMNS_WITH_SIZES) return head;

  const sizes = describeSizes(row).padEnd(SIZES_COLUMNS);
  if (columns < COLUMNS_WITH_BAR) return `${head} ${sizes}`;

  const rest = columns >= COLUMNS_WITH_SPEED ? SPEED_COLUMNS + TIME_COLUMNS : 0;
  const room = columns - HEAD_COLUMNS - EDGES_COLUMNS - SIZES_COLUMNS - rest;
  return `${head} ${drawBar(fraction, room)} ${sizes}`;
}

/** A bar filled up to a fraction, or blank space of the same width. */
function drawBar(fraction: number | undefined, room: number): string {
  if (fraction === undefined) return " ".repeat(room + 2);
  const filled = Math.floor(fraction * room);
  return `▕${"█".repeat(filled)}${" ".repeat(room - filled)}▏`;
}

function describeSizes({ completed, total, done }: Row): string {
  const there = formatBytes(completed).padStart(6);
  return done || total === undefined ? there : `${there}/${formatBytes(total).padStart(6)}`;
}
