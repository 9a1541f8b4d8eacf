/**
 * Writes reports as one self-contained web page: no script, no network, a single file.
 *
 * Cells open their details as popovers, which browsers close on Escape or a tap outside; on paper the details
 * are listed at the end. The filters are check boxes that the style sheet reads.
 *
 * @module
 */

import { isBroken, LEVELS, type Report, type RuleResult, type Tally, tally } from "../report.ts";
import type { Level, RuleInfo } from "../rule.ts";
import { findingPanel } from "./html_finding.ts";
import { CSS } from "./html_style.ts";
import { withCode } from "./html_text.ts";
import { type Markup, markup, trusted } from "./markup.ts";
import {
  type Finding,
  type Implementation,
  type Matrix,
  mergeReports,
  resultsOf,
} from "./matrix.ts";
import type { ReporterOptions } from "./reporter.ts";
import { count, oneLine, visible } from "./texts.ts";
import {
  describeEvidence,
  describeRuntime,
  describeTally,
  LEVEL_MEANINGS,
  SIGNS,
  subjectName,
  subjectsOf,
  VERDICTS,
  wordOf,
} from "./words.ts";

/** Allows only the styles in the page itself, so that a report from elsewhere cannot load anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** The most implementations for which cells have room for words, even on a phone. */
const MAX_WORDY_COLUMNS = 8;

/** The most implementations whose names fit on a phone. */
const MAX_NAMED_COLUMNS = 3;

/** Options of {@link htmlReport}. */
export interface HtmlOptions extends ReporterOptions {
  /**
   * Text about the reports, to show below the title. Code is between backticks.
   *
   * @default nothing
   */
  readonly about?: string | undefined;
}

/** Writes reports as a web page. */
export function htmlReport(reports: readonly Report[], options: HtmlOptions = {}): string {
  const matrices = mergeReports(reports);
  const runtimes = new Set(reports.map(describeRuntime));
  const page = markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${describePage(matrices)}</title>
<style>${trusted(CSS)}</style>
</head>
<body class="${runtimes.size === 1 ? "one-runtime" : ""}">
<header class="page-head">
<h1>Who keeps the pull protocol?</h1>
<p>Rules for <code>POST /api/pull</code>, each tried with many inputs. The cell of a broken rule shows
the smallest input that was found to break it.</p>
${headLines(runtimes, options)}
</header>
${legend()}
${matrices.map((matrix) => matrixSection(matrix, options))}
</body>
</html>
`;
  return `<!DOCTYPE html>\n${page}`;
}

function describePage(matrices: readonly Matrix[]): string {
  const parts = matrices.map(({ side, implementations }) => count(implementations.length, side));
  return `Pull conformance: ${parts.join(" and ") || "no reports"}`;
}

/** A paragraph about all reports. */
function headLines(runtimes: ReadonlySet<string>, { about }: HtmlOptions): Markup[] {
  const tested = runtimes.size === 1 ? `Tested by the ${[...runtimes].join("")}.` : undefined;
  return [about, tested].filter((line) => line !== undefined)
    .map((line) => markup`<p>${withCode(visible(line))}</p>`);
}

function legend(): Markup {
  const meanings: [Level | "should dependent", RuleResult["verdict"], string][] = [
    ["must", "kept", "no input broke it"],
    ["must", "broken", "against the spec"],
    ["should", "broken", "against practice or the reference"],
    ["should dependent", "broken", "because another rule is broken"],
    ["must", "hung", "something did not happen in time"],
    ["must", "not seen", "no input gave evidence"],
    ["must", "skipped", "not tested, for the reason in the cell"],
  ];
  return markup`<div class="tools">
<dl class="legend">${
    meanings.map(([level, verdict, meaning]) =>
      markup`<div><dt class="mark ${wordOf(verdict)} ${level}">${
        SIGNS[verdict]
      } ${verdict}</dt><dd>${meaning}</dd></div>`
    )
  }</dl>
<fieldset class="filters"><legend>Show</legend>${
    LEVELS.map((level) =>
      markup`<label title="${
        LEVEL_MEANINGS[level]
      }"><input type="checkbox" id="show-${level}" checked> ${level}</label>`
    )
  }<label><input type="checkbox" id="only-broken"> only broken rules</label></fieldset>
</div>`;
}

function matrixSection(matrix: Matrix, options: ReporterOptions): Markup {
  const { side, implementations, sections } = matrix;
  const number = sections.reduce((sum, { rules }) => sum + rules.length, 0);
  const summary = `${count(number, "rule")}, ${count(implementations.length, "implementation")}`;
  return markup`<section class="matrix">
<h2>${subjectsOf(side)} <small>${summary}</small></h2>
<ol class="cards${implementations.length > MAX_WORDY_COLUMNS ? " many" : ""}">${
    implementations.map(card)
  }</ol>
${table(matrix)}
<div class="panels">${panels(matrix, options)}</div>
</section>`;
}

function card(implementation: Implementation, index: number): Markup {
  const { subject, runtime } = implementation;
  const results = resultsOf(implementation);
  const { name, version } = subject;
  return markup`<li class="card">
<h3><span class="number">${index + 1}</span> <span class="name">${oneLine(name)}</span>${
    version === undefined ? undefined : markup` <span class="version">${oneLine(version)}</span>`
  }</h3>
<p class="runtime">${oneLine(describeRuntime({ runtime }))}</p>
${conclusion(results)}
<dl class="bars">${LEVELS.map((level) => bar(level, tally(results, level)))}</dl>
</li>`;
}

/** The conclusion for an implementation. It gets a ✓ only if nothing is bad. */
function conclusion(results: readonly RuleResult[]): Markup {
  const all = tally(results);
  const must = tally(results, "must");
  const ofSpec = must.broken + must.hung;
  const broken = all.broken + all.hung;
  if (broken > 0) {
    const kind = ofSpec > 0 ? `${ofSpec} required by the spec` : "none required by the spec";
    return markup`<p class="conclusion bad">${SIGNS.broken} breaks ${
      count(broken, "rule")
    }, ${kind}</p>`;
  }
  const unseen = all["not seen"];
  if (unseen > 0) {
    return markup`<p class="conclusion">${SIGNS["not seen"]} breaks no rule that was seen, but ${
      count(unseen, "rule")
    } ${unseen === 1 ? "was" : "were"} not seen</p>`;
  }
  return all.kept > 0
    ? markup`<p class="conclusion good">${SIGNS.kept} breaks no rule that was tried${
      all.skipped === 0 ? "" : `, ${all.skipped} skipped`
    }</p>`
    : markup`<p class="conclusion">${SIGNS.skipped} no rule was tried</p>`;
}

function bar(level: Level, counts: Tally): Markup {
  const { kept, broken, hung, "not seen": unseen, skipped } = counts;
  const seen = kept + broken + hung;
  if (seen + unseen + skipped === 0) return markup`<div><dt>${level}</dt><dd>–</dd></div>`;
  const rest = [unseen > 0 ? `${unseen} not seen` : [], skipped > 0 ? `${skipped} skipped` : []];
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) =>
    markup`<i class="${wordOf(verdict)} ${level}" style="flex-grow:${counts[verdict]}"></i>`
  );
  return markup`<div title="${
    describeTally(counts)
  }"><dt>${level}</dt><dd><b>${kept}</b>/${seen}<span class="bar">${parts}</span><small>${
    rest.flat().join(", ")
  }</small><span class="unseen">${describeTally(counts)}</span></dd></div>`;
}

function table({ side, implementations, sections }: Matrix): Markup {
  const columns = implementations.length;
  const room = roomFor(columns);
  const bodies = sections.map(({ title, rules }, section) =>
    markup`<tbody>
<tr class="section"><th scope="rowgroup" colspan="${columns + 1}"><span>${
      oneLine(title)
    }</span></th></tr>${
      rules.map((rule, row) =>
        ruleRow(rule, implementations, (column) => panelId(side, section, row, column))
      )
    }
</tbody>`
  );
  return markup`<table class="${room}" style="--columns:${columns}">
<caption class="unseen">Rules for ${side}s by implementation</caption>
<thead><tr><th class="corner" scope="col">Rule</th>${implementations.map(columnHead)}</tr></thead>
${bodies}
</table>`;
}

/** How much room there is, as class names. One implementation has room for remarks. */
function roomFor(columns: number): string {
  if (columns === 1) return "wordy few single";
  if (columns <= MAX_NAMED_COLUMNS) return "wordy few";
  return columns <= MAX_WORDY_COLUMNS ? "wordy" : "dense";
}

function columnHead({ subject, runtime }: Implementation, index: number): Markup {
  const title = oneLine(`${subjectName(subject)}, ${describeRuntime({ runtime })}`);
  return markup`<th scope="col" title="${title}"><span class="number">${
    index + 1
  }</span><span class="name">${oneLine(subject.name)} <small>${
    oneLine(subject.version ?? "")
  }</small></span><small class="runtime">${oneLine(describeRuntime({ runtime }))}</small></th>`;
}

function ruleRow(
  rule: RuleInfo,
  implementations: readonly Implementation[],
  idOf: (column: number) => string,
): Markup {
  const { id, level, title, cites } = rule;
  const findings = implementations.map(({ findings }) => findings.get(id));
  const state = findings.some((finding) => finding && isBroken(finding.result)) ? "" : "fine";
  return markup`
<tr class="${level} ${state}"><th scope="row"><details><summary><code class="id">${
    oneLine(id)
  }</code> <span class="level ${level}">${level}</span> <span class="title">${
    withCode(oneLine(title))
  }</span></summary><p class="cites">${withCode(visible(cites))}</p></details></th>${
    findings.map((finding, column) => {
      const remark = findings.length === 1 && finding ? remarkOn(finding.result) : undefined;
      return cell(finding, column, idOf(column), remark);
    })
  }</tr>`;
}

/** The evidence for a result, or its reason, in one line. */
function remarkOn(result: RuleResult): string | undefined {
  const { verdict, because, failure, reason } = result;
  if (because !== undefined) return `because ${because} is broken`;
  if (failure !== undefined) return `expected ${failure.expected}`;
  return verdict === "kept" ? describeEvidence(result) : reason;
}

function cell(
  finding: Finding | undefined,
  column: number,
  id: string,
  remark: string | undefined,
): Markup {
  const number = markup`<span class="number" aria-hidden="true">${column + 1}</span>`;
  if (finding === undefined) {
    return markup`<td><span class="mark missing" title="not run">${number}<span class="unseen">not run</span></span></td>`;
  }
  const { verdict, level, because } = finding.result;
  const content = markup`${number}<span class="sign" aria-hidden="true">${
    SIGNS[verdict]
  }</span><span class="word">${verdict}</span>${
    remark === undefined
      ? undefined
      : markup` <span class="remark">${withCode(oneLine(remark))}</span>`
  }`;
  const kind = `${wordOf(verdict)} ${level}`;
  if (verdict === "kept") {
    const { runs } = finding.result;
    const known = runs === 0 ? verdict : count(runs, "input"); // results from a record have no count
    const evidence = describeEvidence(finding.result) ?? known;
    return markup`<td><span class="mark ${kind}" title="${evidence}">${content}</span></td>`;
  }
  const dependent = because === undefined ? "" : " dependent";
  return markup`<td><button type="button" class="mark ${kind}${dependent}" popovertarget="${id}">${content}</button></td>`;
}

function panelId(side: string, section: number, row: number, column: number): string {
  return `${side}-${section}-${row}-${column}`;
}

function panels({ side, implementations, sections }: Matrix, options: ReporterOptions): Markup[] {
  return sections.flatMap(({ rules }, section) =>
    rules.flatMap((rule, row) =>
      implementations.flatMap(({ findings }, column) => {
        const finding = findings.get(rule.id);
        if (finding === undefined || finding.result.verdict === "kept") return [];
        return [findingPanel(panelId(side, section, row, column), finding, options)];
      })
    )
  );
}
