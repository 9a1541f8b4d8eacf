/**
 * Describes a broken rule, for people at a terminal or in a test's message:
 *
 *     ✗ S-SEQ-4 must: Nothing follows `success`
 *       broken by mock 0.1.0
 *
 *       rests on  spec: "…"
 *       expected  no object after the success
 *       seen      {"status":"success"} twice
 *
 *       POST /api/pull {"model":"tiny"}
 *       200 application/x-ndjson, 2 chunks
 *         1 │ {"status":"success"}\n{"status":"succ
 *         2 │ ess"}\n
 *           ╵ the answer ends here
 *
 *       Found after 3 inputs, shrunk 4 times. To reproduce it:
 *       conformance server --rule S-SEQ-4 --seed 42 --path 2:0:1
 *
 * Bytes are never wrapped, so that they can be copied; only sentences are.
 *
 * @module
 */

import type { Exchange, ExchangeAnswer } from "../exchange.ts";
import type { Report, RuleResult } from "../report.ts";
import { describeReplay, type ReporterOptions } from "./reporter.ts";
import { colored, type Paint, plain, VERDICT_STYLES } from "./styles.ts";
import { oneLine, visibleLines } from "./texts.ts";
import { describeAnswer, describeSearch, ENDINGS, SIGNS, subjectName } from "./words.ts";

/** Options of texts for people at a terminal. */
export interface PrettyOptions extends ReporterOptions {
  /**
   * Whether to use colours.
   *
   * @default {false}
   */
  readonly colors?: boolean | undefined;
  /**
   * The width at which sentences are wrapped, in characters.
   *
   * @default {80}
   */
  readonly columns?: number | undefined;
}

const INDENT = "  ";
const LABEL_WIDTH = 10;
const SHORTEST_WIDTH = 20;

/** The styles for these options. */
export function paintOf({ colors = false }: PrettyOptions): Paint {
  return colors ? colored : plain;
}

/** Describes how a rule is broken. The text has no final line break. */
export function prettyFailure(
  report: Report,
  result: RuleResult,
  options: PrettyOptions = {},
): string {
  const { replay = describeReplay, columns = 80 } = options;
  const paint = paintOf(options);
  const { id, level, title, verdict, cites, reason, failure, because } = result;
  const fields: [label: string, text: string | undefined][] = [
    ["rests on", cites],
    ["expected", failure?.expected],
    ["seen", failure?.seen ?? reason],
    ["because", because && `${because} is broken`],
  ];
  const heading = `${SIGNS[verdict]} ${oneLine(id)} ${level}: ${oneLine(title)}`;
  const subject = `${verdict === "hung" ? "no end with" : "broken by"} ${
    subjectName(report.subject)
  }`;
  const search = describeSearch(result);
  const lines = [
    "",
    ...fields.flatMap(([label, text]) =>
      text === undefined ? [] : field(label, text, columns, paint)
    ),
    "",
    ...drawSteps(failure?.steps, paint),
    ...(failure?.exchanges ?? []).flatMap((exchange) => [...drawExchange(exchange, paint), ""]),
    `${search === undefined ? "" : `${search}. `}To reproduce it:`,
    paint("cyan", oneLine(replay(report, result))),
  ];
  return [
    paint("bold", paint(VERDICT_STYLES[verdict], heading)),
    `${INDENT}${paint("dim", oneLine(subject))}`,
    ...lines.map((line) => line === "" ? "" : INDENT + line),
  ].join("\n");
}

/** A field of a description: a label, with its text wrapped and indented next to it. */
export function drawField(label: string, text: string, options: PrettyOptions): string[] {
  return field(label, text, options.columns ?? 80, paintOf(options)).map((line) => INDENT + line);
}

function field(label: string, text: string, columns: number, paint: Paint): string[] {
  const width = Math.max(SHORTEST_WIDTH, columns - INDENT.length - LABEL_WIDTH);
  return visibleLines(text).flatMap((line) => wrap(line, width)).map((line, index) =>
    paint("dim", (index === 0 ? label : "").padEnd(LABEL_WIDTH)) + line
  );
}

/** Wraps a line between words. Words longer than the width stay whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(" ")) {
    if (line === undefined) line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line ?? ""];
}

/** What was done, to be repeated line by line. It is never wrapped. */
function drawSteps(steps: readonly string[] | undefined, paint: Paint): string[] {
  if (steps === undefined) return [];
  return [paint("dim", "Step by step:"), ...steps.map(oneLine), ""];
}

function drawExchange({ request, answer }: Exchange, paint: Paint): string[] {
  return [
    paint("bold", oneLine(request)),
    ...(answer === undefined ? [paint("dim", "without an answer")] : drawAnswer(answer, paint)),
  ];
}

function drawAnswer(answer: ExchangeAnswer, paint: Paint): string[] {
  const { chunks, ending } = answer;
  const width = String(chunks.length).length + 2;
  const chunkLines = chunks.map((chunk, index) =>
    paint("dim", `${String(index + 1).padStart(width)} │ `) + oneLine(chunk)
  );
  const end = `${" ".repeat(width)} ╵ ${ENDINGS[ending]}`;
  return [oneLine(describeAnswer(answer)), ...chunkLines, paint("dim", end)];
}
