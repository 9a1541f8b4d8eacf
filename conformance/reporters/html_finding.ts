/**
 * The details of a result, as a panel of the web page.
 *
 * @module
 */

import type { Exchange, ExchangeAnswer } from "../exchange.ts";
import type { Failure } from "../report.ts";
import { withCode, withEscapes } from "./html_text.ts";
import { type Markup, markup } from "./markup.ts";
import type { Finding } from "./matrix.ts";
import { describeReplay, describeRun, type ReporterOptions } from "./reporter.ts";
import { count, oneLine, visible } from "./texts.ts";
import { describeSearch, ENDINGS, LEVEL_MEANINGS, SIGNS, subjectName, wordOf } from "./words.ts";

/** The panel that a cell opens. */
export function findingPanel(
  id: string,
  { report, result }: Finding,
  { replay = describeReplay }: ReporterOptions,
): Markup {
  const { verdict, level, title, cites, reason, failure, because } = result;
  const search = describeSearch(result);
  return markup`
<article class="panel" id="${id}" popover aria-labelledby="${id}-title">
<header><p><span class="mark ${wordOf(verdict)} ${level}">${
    SIGNS[verdict]
  } ${verdict}</span> <code class="id">${
    oneLine(result.id)
  }</code> <span class="level ${level}">${level}</span> <small>${LEVEL_MEANINGS[level]}</small></p>
<button type="button" class="close" popovertarget="${id}" popovertargetaction="hide" aria-label="Close">×</button></header>
<h3 id="${id}-title">${withCode(visible(title))}</h3>
<p class="subject">${oneLine(subjectName(report.subject))} <small>${
    oneLine(describeRun(report))
  }</small></p>
<blockquote>${withCode(visible(cites))}</blockquote>
${because === undefined ? undefined : paragraph(`Broken only because ${because} is broken.`)}
${paragraph(reason)}
${failure === undefined ? undefined : counterexample(failure)}
${
    verdict === "skipped" ? undefined : markup`<h4>Reproduce it</h4>
${search === undefined ? undefined : markup`<p>${search}.</p>`}
<pre class="replay"><code>${oneLine(replay(report, result))}</code></pre>`
  }
</article>`;
}

function paragraph(text: string | undefined): Markup | undefined {
  return text === undefined ? undefined : markup`<p class="reason">${withCode(visible(text))}</p>`;
}

function counterexample({ expected, seen, steps, exchanges }: Failure): Markup {
  return markup`<dl class="contrast"><div><dt>Expected</dt><dd>${
    withCode(visible(expected))
  }</dd></div><div><dt>Seen</dt><dd>${withCode(visible(seen))}</dd></div></dl>
${steps === undefined ? undefined : stepList(steps)}
${exchanges.map(exchangeBlock)}`;
}

/** What was done, as lines to copy. */
function stepList(steps: readonly string[]): Markup {
  return markup`<h4>Step by step</h4>
<pre class="replay"><code>${steps.map(oneLine).join("\n")}</code></pre>`;
}

function exchangeBlock(
  { request, answer }: Exchange,
  index: number,
  all: readonly Exchange[],
): Markup {
  const title = all.length === 1 ? "On the wire" : `On the wire, ${index + 1} of ${all.length}`;
  return markup`<h4>${title}</h4>
<div class="wire"><p class="request"><b aria-label="Request">→</b> <code>${
    withEscapes(oneLine(request))
  }</code></p>${
    answer === undefined ? markup`<p class="ending">no answer</p>` : answerBlock(answer)
  }</div>`;
}

function answerBlock({ status, contentType, chunks, ending }: ExchangeAnswer): Markup {
  return markup`<p class="answer"><b aria-label="Answer">←</b> <code>${status}</code> ${
    oneLine(contentType ?? "without a content type")
  } <small>${count(chunks.length, "chunk")}</small></p>
<ol class="chunks">${
    chunks.map((chunk) => markup`<li><code>${withEscapes(oneLine(chunk))}</code></li>`)
  }</ol>
<p class="ending ${ending}">${ENDINGS[ending]}</p>`;
}
