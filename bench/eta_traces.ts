/**
 * Downloads with a known end, to measure the accuracy of the time left reported on the way: the speed of a
 * connection over time, and the lines that a server would have sent. All of it is determined by seeds.
 *
 * The method in `src/forecast.ts` was tuned with downloads of half of the shapes. The held-out downloads, of
 * these and the other shapes, were drawn after it was finished, and have not changed it.
 *
 * @module
 */

import { seededNumbers } from "../mock/runtime/random.ts";
import { shortDigest } from "../src/digest.ts";
import { digestOf } from "./made_pulls.ts";

/** The purpose of a download: to tune the method, or to test it. */
export type Purpose = "tuning" | "held out";

/** A download. */
export interface Download {
  /** The name of its shape. */
  readonly shape: string;
  /** What arrives, in order of time. The first is at 0, the last one contains the last bytes. */
  readonly arrivals: readonly Arrival[];
  /** The size in bytes of all that is fetched. */
  readonly total: number;
  /** When the last bytes came, in seconds. */
  readonly seconds: number;
}

/** A chunk of lines, and what they report. */
export interface Arrival {
  /** When it arrives, in milliseconds. */
  readonly at: number;
  /** The lines. */
  readonly lines: string;
  /** The bytes that are present by then. */
  readonly completed: number;
}

/** Numbers that look random and are determined by a seed. */
class Draw {
  readonly #next: () => number;

  constructor(...keys: readonly (string | number)[]) {
    this.#next = seededNumbers(...keys);
  }

  /** A number from 0 up to, but not including, 1. */
  part(): number {
    return this.#next() / 2 ** 32;
  }

  /** A number between two others, uniformly distributed. */
  between(low: number, high: number): number {
    return low + (high - low) * this.part();
  }

  /** A number between two positive ones, distributed uniformly on a logarithmic scale. */
  scale(low: number, high: number): number {
    return low * (high / low) ** this.part();
  }

  /** A normally distributed number, by the method of Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.part())) * Math.cos(2 * Math.PI * this.part());
  }
}

/** The speed at a second, as a part of the usual one. Called in order of time. */
type Speed = (second: number) => number;

/** How the speed of a connection changes, and other properties of a download. */
export interface Shape {
  readonly name: string;
  /** Whether the method was not tuned with it. */
  readonly isHeldOut: boolean;
  /** Draws the changes in speed of a download that takes about a number of seconds. */
  readonly drawSpeed: (draw: Draw, seconds: number) => Speed;
  /** Whether the speed has no random fluctuation. */
  readonly isExact?: boolean;
  /** Whether some bytes are lost at 90 % and fetched again. */
  readonly isRolledBack?: boolean;
  /** How often bytes arrive, in milliseconds, if not continuously. */
  readonly bytesEveryMs?: number;
  /** How long a proxy holds lines back, in milliseconds. */
  readonly holdMs?: number;
  /** How many layers are fetched in parallel. */
  readonly layers?: number;
}

const steady = (): Speed => () => 1;

function step(draw: Draw, seconds: number, speed: number): Speed {
  const at = seconds * draw.between(0.2, 0.6);
  return (second) => second < at ? 1 : speed;
}

/** Levels of random duration. */
function levels(drawLevel: () => { speed: number; seconds: number }): Speed {
  let level = drawLevel();
  let end = level.seconds;
  return (second) => {
    while (second >= end) {
      level = drawLevel();
      end += level.seconds;
    }
    return level.speed;
  };
}

/** All shapes. */
export const SHAPES: readonly Shape[] = [
  { name: "constant", isHeldOut: true, isExact: true, drawSpeed: steady },
  {
    name: "step up",
    isHeldOut: true,
    drawSpeed: (draw, seconds) => step(draw, seconds, draw.scale(2, 6)),
  },
  {
    name: "step down",
    isHeldOut: false,
    drawSpeed: (draw, seconds) => step(draw, seconds, 1 / draw.scale(2, 6)),
  },
  {
    name: "slow start",
    isHeldOut: false,
    drawSpeed(draw, seconds) {
      const timeConstant = seconds * draw.between(0.03, 0.15);
      return (second) => 1.02 - Math.exp(-second / timeConstant);
    },
  },
  {
    name: "sine",
    isHeldOut: false,
    drawSpeed(draw) {
      const [period, depth] = [draw.scale(8, 60), draw.between(0.4, 0.9)];
      const phase = draw.part();
      return (second) => 1 + depth * Math.sin(2 * Math.PI * (second / period + phase));
    },
  },
  {
    name: "mobile bursts",
    isHeldOut: true,
    drawSpeed: (draw) =>
      levels(() => ({
        speed: draw.part() < 0.15 ? 0 : draw.scale(0.15, 3),
        seconds: draw.between(1, 8),
      })),
  },
  {
    name: "pauses",
    isHeldOut: false,
    drawSpeed(draw) {
      let speed = 0;
      return levels(() => {
        speed = 1 - speed;
        return { speed, seconds: speed === 1 ? draw.between(10, 40) : draw.between(3, 15) };
      });
    },
  },
  { name: "bytes once a second", isHeldOut: false, bytesEveryMs: 1_000, drawSpeed: steady },
  { name: "a chunk a second", isHeldOut: false, holdMs: 1_000, drawSpeed: steady },
  { name: "rollback at 90 %", isHeldOut: true, isRolledBack: true, drawSpeed: steady },
  {
    name: "drift",
    isHeldOut: true,
    drawSpeed(draw, seconds) {
      const last = draw.part() < 0.5 ? draw.scale(0.25, 0.6) : draw.scale(1.7, 4);
      return (second) => 1 + (last - 1) * Math.min(1, second / seconds);
    },
  },
  { name: "layers in parallel", isHeldOut: true, layers: 4, drawSpeed: steady },
];

/** How often a server sends lines, in milliseconds: for one layer, and for parallel layers (observed). */
const TICK_MS = 60;
const PARALLEL_TICK_MS = 100;

/** How long the speed drifts in one direction, in milliseconds. */
const WAVER_MS = 1_500;

/** The bytes that arrive at each tick, without end. */
function* drawTicks(
  draw: Draw,
  shape: Shape,
  seconds: number,
  tickMs: number,
): Generator<number, never> {
  const speed = shape.drawSpeed(draw, seconds);
  const bytesPerMs = draw.scale(1_000, 100_000);
  const depth = shape.isExact ? 0 : draw.between(0.05, 0.25);
  const kept = Math.exp(-tickMs / WAVER_MS);
  let waver = draw.normal();
  for (let at = tickMs;; at += tickMs) {
    waver = waver * kept + draw.normal() * Math.sqrt(1 - kept ** 2);
    yield speed(at / 1_000) * Math.exp(depth * waver) * bytesPerMs * tickMs;
  }
}

/** How many bytes are present at each tick: none at the first one, and all at the last one. */
function drawCompletions(draw: Draw, shape: Shape, tickMs: number): number[] {
  const { isRolledBack = false, bytesEveryMs = tickMs } = shape;
  const seconds = draw.scale(60, 600);
  const ticks = drawTicks(draw, shape, seconds, tickMs);
  const planned = Array.from({ length: seconds * 1_000 / tickMs }, () => ticks.next().value);
  const total = Math.round(planned.reduce((sum, bytes) => sum + bytes, 0));
  let toLose = isRolledBack ? total * draw.between(0.03, 0.15) : 0;

  const completions = [0];
  let completed = 0;
  let onTheWay = 0;
  for (let tick = 1; completed < total; tick++) {
    onTheWay += planned[tick - 1] ?? ticks.next().value;
    const isDue = tick * tickMs % bytesEveryMs < tickMs;
    if (isDue || completed + onTheWay >= total) {
      completed = Math.min(Math.round(completed + onTheWay), total);
      onTheWay = 0;
    }
    if (completed >= 0.9 * total && toLose > 0) {
      completed -= Math.round(toLose);
      toLose = 0;
    }
    completions.push(completed);
  }
  return completions;
}

/** The layers' parts of a model, the smallest first. */
const LAYER_PARTS = [0.1, 0.2, 0.3, 0.4];

/** The sizes of some layers that make up a model. */
function sizesOf(total: number, layers: number): number[] {
  if (layers === 1) return [total];
  const sizes = LAYER_PARTS.slice(1).map((part) => Math.round(total * part));
  return [total - sizes.reduce((sum, size) => sum + size, 0), ...sizes];
}

/** The bytes present of each layer, if all incomplete layers have the same speed. */
function shareOut(completed: number, sizes: readonly number[]): number[] {
  let rest = completed;
  return sizes.map((size, index) => {
    const part = Math.min(size, Math.ceil(rest / (sizes.length - index)));
    rest -= part;
    return part;
  });
}

function write(layer: number, total: number, completed: number): string {
  const digest = digestOf(layer);
  const status = `pulling ${shortDigest(digest)}`;
  // The protocol leaves out fields that are 0.
  return `${JSON.stringify({ status, digest, total, completed: completed || undefined })}\n`;
}

const OPENING = '{"status":"pulling manifest"}\n';
const CLOSING = '{"status":"verifying sha256 digest"}\n{"status":"success"}\n';

/** Draws a download of a shape. */
function drawDownload(shape: Shape, ...seed: readonly (string | number)[]): Download {
  const { name, layers = 1 } = shape;
  const tickMs = layers === 1 ? TICK_MS : PARALLEL_TICK_MS;
  const { holdMs = tickMs } = shape;
  const completions = drawCompletions(new Draw("time left", name, ...seed), shape, tickMs);
  const last = completions.length - 1;
  const total = completions[last]!;
  const sizes = sizesOf(total, layers);
  const arrivals: Arrival[] = [];
  let lines = OPENING;
  for (const [tick, completed] of completions.entries()) {
    const at = tick * tickMs;
    lines += shareOut(completed, sizes).map((part, layer) => write(layer, sizes[layer]!, part))
      .join("");
    if (tick === last) lines += CLOSING;
    else if (at % holdMs >= tickMs) continue;
    arrivals.push({ at, lines, completed });
    lines = "";
  }
  return { shape: name, arrivals, total, seconds: last * tickMs / 1_000 };
}

/** Draws downloads of a shape, for a purpose. */
export function drawDownloads(shape: Shape, purpose: Purpose, count: number): Download[] {
  return Array.from({ length: count }, (_, index) => drawDownload(shape, purpose, index));
}
