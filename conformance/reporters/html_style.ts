/**
 * The style sheet of the web page.
 *
 * The page scrolls as a whole, so the header row and the first column stick to the window. On a phone each
 * rule is a separate line, with its cells below. Verdicts differ in sign, word, lightness and pattern;
 * violations of the spec are filled, violations of practice are tinted.
 *
 * @module
 */

/** The style sheet. */
export const CSS = `
:root {
  color-scheme: light dark;
  --page: #f6f5f2; --surface: #ffffff; --raised: #ffffff;
  --text: #1d1d1b; --muted: #66645e; --line: #dedcd5; --accent: #3451b2;
  --kept: #dcefe1; --kept-text: #17592c; --kept-bar: #4ea56a;
  --broken: #c4232f; --broken-text: #ffffff; --broken-stripe: #8d1721; --broken-tint: #fbdcd9; --broken-tint-text: #8d1721;
  --hung: #8f4d00; --hung-text: #ffffff; --hung-tint: #fbe6c2; --hung-tint-text: #713d00;
  --skipped-bar: #c9c6bc; --code: #f1efe9; --backdrop: #1d1d1b73;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #151617; --surface: #1e2022; --raised: #26292c;
    --text: #ecebe7; --muted: #a09d95; --line: #3a3d41; --accent: #9db4ff;
    --kept: #1d3a29; --kept-text: #9fe0b4; --kept-bar: #4ea56a;
    --broken: #d93b42; --broken-text: #ffffff; --broken-stripe: #8a2227; --broken-tint: #4a1f22; --broken-tint-text: #ffb3b0;
    --hung: #f0a330; --hung-text: #221500; --hung-tint: #43300f; --hung-tint-text: #ffd58f;
    --skipped-bar: #55585c; --code: #16181a; --backdrop: #000000a6;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; padding: 32px 24px 64px; min-width: 100%; width: max-content;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
.page-head, .tools, .matrix > h2, .cards {
  position: sticky; left: 24px; width: min(1360px, 100vw - 48px - var(--scrollbar, 16px));
}
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; text-wrap: balance; }
h2 { margin: 44px 0 14px; font-size: 21px; letter-spacing: -0.01em; }
h2 small { margin-left: 6px; font-size: 14px; font-weight: 400; letter-spacing: 0; color: var(--muted); }
.page-head p { margin: 8px 0 0; max-width: 76ch; text-wrap: pretty; color: var(--muted); }
code { font-family: var(--mono); font-size: 0.92em; }
.page-head code { white-space: nowrap; }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}

.tools { display: flex; flex-wrap: wrap; gap: 10px 32px; align-items: center; margin-top: 20px; font-size: 13px; }
.legend { display: flex; flex-wrap: wrap; gap: 8px 18px; margin: 0; }
.legend div { display: flex; gap: 8px; align-items: center; }
.legend dt { padding: 1px 9px; }
.legend dd { margin: 0; color: var(--muted); }
.filters { display: flex; flex-wrap: wrap; gap: 4px 14px; margin: 0; padding: 0; border: 0; }
.filters legend { float: left; margin-right: 14px; padding: 0; color: var(--muted); }
.filters label { display: flex; gap: 6px; align-items: center; cursor: pointer; }
.filters input { margin: 0; width: 16px; height: 16px; accent-color: var(--accent); }
body:has(#only-broken:checked) tr.fine,
body:not(:has(#show-must:checked)) tr.must,
body:not(:has(#show-should:checked)) tr.should,
body:not(:has(#show-observed:checked)) tr.observed,
tbody:not(:has(tr.must, tr.should, tr.observed)) { display: none; }
body:has(#only-broken:checked) tbody:not(:has(tr:not(.fine, .section))) { display: none; }

.cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 12px;
  margin: 0 0 24px; padding: 0; list-style: none;
}
.card {
  display: flex; flex-direction: column; min-width: 0; padding: 14px 16px;
  background: var(--surface); border: 1px solid var(--line); border-radius: 12px;
}
.card h3 {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
  margin: 0; font-size: 15px; line-height: 1.4; overflow-wrap: anywhere;
}
.version { font-weight: 400; color: var(--muted); }
.card .runtime { margin: 0; font-size: 13px; color: var(--muted); overflow-wrap: anywhere; }
.number {
  display: inline-block; min-width: 20px; padding: 0 5px; border-radius: 10px;
  background: var(--code); color: var(--muted);
  font: 600 12px/20px var(--mono); text-align: center;
}
.conclusion { margin: 6px 0 10px; font-weight: 600; font-size: 14px; color: var(--muted); }
.conclusion.good { color: var(--kept-text); }
.conclusion.bad { color: var(--broken-tint-text); }
.bars { display: grid; grid-template-columns: repeat(3, 1fr); gap: 14px; margin: auto 0 0; font-size: 13px; }
.bars div { position: relative; min-width: 0; }
.bars dt { color: var(--muted); font-size: 12px; line-height: 1.3; }
.bars dd { margin: 0; font-variant-numeric: tabular-nums; }
.bars small { display: block; min-height: 18px; color: var(--muted); }
.one-runtime :is(.card, thead) .runtime { display: none; }
.cards.many { grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 8px; }
.many .card { padding: 9px 12px 10px; border-radius: 10px; }
.many .card h3 { font-size: 14px; }
.many .conclusion { margin: 2px 0 6px; font-size: 13px; line-height: 1.35; }
.many .bars { gap: 10px; }
.many .bars small { min-height: 0; font-size: 11px; line-height: 1.3; }
.bar { display: flex; gap: 2px; height: 8px; margin-top: 3px; }
.bar i { flex: 1 1 0; min-width: 3px; border-radius: 2px; }
.bar .kept { background: var(--kept-bar); }
.bar .broken { background: repeating-linear-gradient(135deg, var(--broken) 0 3px, var(--broken-stripe) 3px 5px); }
.bar .hung { background: repeating-linear-gradient(90deg, var(--hung) 0 2px, var(--hung-tint) 2px 4px); }
.bar .not-seen { background: none; border: 1px solid var(--hung-tint-text); }
.bar .skipped { background: var(--skipped-bar); height: 2px; align-self: center; }

table { margin-left: -24px; border-collapse: separate; border-spacing: 0; table-layout: fixed; font-size: 14px; }
table.wordy {
  --width: min(1384px, 100vw - 40px); --rule-width: clamp(264px, 33vw, 464px);
  width: var(--width); min-width: calc(264px + var(--columns) * 58px);
}
thead th, tbody th { background: var(--page); text-align: left; font-weight: 400; }
thead th {
  position: sticky; top: 0; z-index: 2; padding: 10px 4px 8px; vertical-align: bottom;
  border-bottom: 1px solid var(--line); font-size: 13px; line-height: 1.3;
}
thead .corner { left: 0; z-index: 3; padding-left: 24px; color: var(--muted); }
table.wordy thead th:not(.corner) {
  width: min(220px, (var(--width) - var(--rule-width)) / var(--columns));
}
table.single thead th:not(.corner) { width: 56%; }
thead .name { display: block; margin-top: 4px; font-weight: 600; overflow-wrap: anywhere; }
thead small { display: block; font-size: 11px; font-weight: 400; color: var(--muted); overflow-wrap: anywhere; }
tbody th { position: sticky; left: 0; z-index: 1; padding: 6px 16px 7px 24px; vertical-align: top; }
tr.section th { padding: 22px 0 6px 24px; }
tr.section span { position: sticky; left: 24px; font-weight: 700; font-size: 13px; }
tbody tr:not(.section) > * { border-top: 1px solid var(--line); }
tbody tr:not(.section):hover > * { background: var(--surface); }
td { padding: 6px 2px; vertical-align: top; }
summary { cursor: pointer; list-style: none; overflow-wrap: anywhere; }
summary::-webkit-details-marker { display: none; }
summary .title { display: block; line-height: 1.4; }
summary .id::before { content: "▸ "; }
details[open] .id::before { content: "▾ "; }
.id { font-size: 12px; color: var(--muted); }
.level {
  display: inline-block; padding: 0 6px; border: 1px solid var(--line); border-radius: 5px;
  font-size: 11px; line-height: 16px; color: var(--muted);
}
.level.must { border-color: var(--text); background: var(--text); color: var(--page); font-weight: 600; }
.level.observed { border-style: dashed; }
.cites {
  margin: 4px 0 4px; padding-left: 10px; border-left: 3px solid var(--line);
  color: var(--muted); white-space: pre-wrap; overflow-wrap: anywhere;
}

.mark { border: 1px solid transparent; border-radius: 6px; font: inherit; font-weight: 600; }
td .mark {
  display: flex; gap: 5px; align-items: center; justify-content: center;
  width: 100%; min-height: 34px; padding: 2px; font-size: 12px;
}
td .sign { font-size: 14px; line-height: 1; }
table.single td .mark { justify-content: start; padding: 4px 14px; text-align: left; }
td .remark { font-weight: 400; overflow-wrap: anywhere; }
td .number { display: none; }
.mark.kept { background: var(--kept); color: var(--kept-text); font-weight: 500; }
.mark.broken { background: var(--broken); color: var(--broken-text); }
.mark.broken.should, .mark.broken.observed {
  background: var(--broken-tint); color: var(--broken-tint-text); border-color: currentColor;
}
.mark.hung { background: var(--hung); color: var(--hung-text); }
.mark.hung.should, .mark.hung.observed {
  background: var(--hung-tint); color: var(--hung-tint-text); border-color: currentColor;
}
.mark.broken.must.dependent {
  background: var(--broken-tint); color: var(--broken-tint-text); border: 2px dashed currentColor;
}
.mark.dependent { border-style: dashed; }
.mark.not-seen { background: none; border: 1px solid var(--hung-tint-text); color: var(--hung-tint-text); }
.mark.skipped { background: none; border: 1px dashed var(--skipped-bar); color: var(--muted); font-weight: 400; }
.mark.missing { background: none; }
button.mark { cursor: pointer; }
button.mark:hover { filter: brightness(1.08); box-shadow: 0 0 0 2px var(--page), 0 0 0 4px currentColor; }
button.mark.must:is(.broken, .hung):hover { box-shadow: 0 0 0 2px var(--page), 0 0 0 4px var(--text); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

table.dense { width: auto; }
table.dense .corner { width: 424px; }
table.dense thead th:not(.corner) {
  width: clamp(40px, (min(1384px, 100vw - 40px) - 424px) / var(--columns), 60px);
}
table.dense thead .name {
  max-height: 240px; overflow: hidden; writing-mode: vertical-rl; transform: rotate(180deg);
  margin: 4px auto 0; line-height: 1.15; overflow-wrap: normal;
}
table.dense thead .name small { display: inline; }
table.dense thead small.runtime { display: none; }
table.dense thead .number { display: block; width: fit-content; margin: 4px auto 0; }
table.dense td .word { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }

.panel {
  width: min(780px, 100vw - 32px); max-height: min(860px, 100dvh - 48px); margin: auto; padding: 0 24px 24px;
  overflow: auto; overscroll-behavior: contain;
  background: var(--raised); color: var(--text); border: 1px solid var(--line); border-radius: 14px;
  box-shadow: 0 24px 64px #00000040;
}
.panel::backdrop { background: var(--backdrop); }
.panel header {
  position: sticky; top: 0; display: flex; justify-content: space-between; align-items: start; gap: 12px;
  margin: 0 -24px; padding: 14px 14px 8px 24px; background: var(--raised);
}
.panel header p { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; margin: 4px 0 0; font-size: 13px; }
.panel header .mark { padding: 1px 9px; }
.panel small { color: var(--muted); font-size: 13px; font-weight: 400; }
.close {
  flex: none; width: 36px; height: 36px; border: 0; border-radius: 18px; background: var(--code); color: inherit;
  font-size: 20px; line-height: 1; cursor: pointer;
}
.panel h3 { margin: 4px 0 0; font-size: 20px; line-height: 1.3; text-wrap: balance; overflow-wrap: anywhere; }
.panel h4 { margin: 20px 0 6px; font-size: 13px; color: var(--muted); }
.panel h4 + p { margin: 0 0 6px; }
.subject { margin: 4px 0 0; overflow-wrap: anywhere; }
.panel blockquote {
  margin: 14px 0; padding: 2px 0 2px 14px; border-left: 3px solid var(--line);
  color: var(--muted); white-space: pre-wrap; overflow-wrap: anywhere;
}
.reason { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.reason + .contrast { margin-top: 12px; }
.contrast { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin: 0; }
.contrast div { min-width: 0; padding: 10px 14px; border-radius: 10px; background: var(--kept); color: var(--kept-text); }
.contrast div + div { background: var(--broken-tint); color: var(--broken-tint-text); }
.contrast dt { font-size: 12px; font-weight: 700; }
.contrast dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.wire { overflow: hidden; border: 1px solid var(--line); border-radius: 10px; background: var(--code); font-size: 13px; }
.wire p { margin: 0; padding: 8px 14px; overflow-wrap: anywhere; }
.wire .answer { border-top: 1px solid var(--line); }
.wire b { color: var(--accent); }
.wire i { color: var(--accent); font-style: normal; }
.chunks { margin: 0; padding: 0; list-style: none; counter-reset: chunk; }
.chunks li { display: grid; grid-template-columns: 44px 1fr; counter-increment: chunk; }
.chunks li::before {
  content: counter(chunk); padding: 5px 10px 5px 0; border-right: 3px solid var(--accent);
  color: var(--muted); font: 12px/20px var(--mono); text-align: right;
}
.chunks li { border-top: 1px dashed var(--muted); }
.chunks code { padding: 5px 14px; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 20px; }
.wire .ending { padding-left: 58px; border-top: 1px solid var(--line); color: var(--muted); }
.wire .ending.reset, .wire .ending.hang, .wire .ending.repeat { color: var(--broken-tint-text); background: var(--broken-tint); font-weight: 600; }
.replay {
  margin: 0; padding: 10px 14px; border-radius: 10px; background: var(--code);
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; font-size: 13px;
}

@media (max-width: 1000px) {
  td .mark { flex-direction: column; gap: 2px; min-height: 42px; padding: 2px 0; }
  table.wordy td .word { font-size: 11px; line-height: 13px; }
  table.dense .corner { width: 264px; }
  table.wordy { --rule-width: 264px; }
}

@media (max-width: 640px) {
  body { width: auto; padding: 20px 14px 48px; }
  .page-head, .tools, .matrix > h2, .cards { position: static; width: auto; }
  h1 { font-size: 25px; }
  .cards { grid-template-columns: 1fr; gap: 10px; }
  .cards.many { grid-template-columns: 1fr 1fr; gap: 6px; }
  .many .card { padding: 8px 10px; }
  .many .bars { gap: 6px; }
  .many .bars dt { font-size: 11px; }
  .card { padding: 12px 14px; }
  .legend { gap: 6px 14px; }
  .filters { gap: 10px 16px; }
  table.wordy, table.dense { display: block; width: auto; min-width: 0; margin: 0; }
  thead, tbody { display: block; }
  tr {
    display: grid; gap: 4px;
    grid-template-columns: repeat(auto-fill, minmax(max(33px, 100% / var(--columns) - 4px), 1fr));
  }
  table.dense thead, thead .corner { display: none; }
  thead { position: sticky; top: 0; z-index: 2; padding: 8px 0 6px; background: var(--page); border-bottom: 1px solid var(--line); }
  thead th { position: static; display: flex; padding: 0; border: 0; }
  table.wordy thead th:not(.corner), table.single thead th:not(.corner) {
    width: auto; flex-direction: column; align-items: center; text-align: center;
  }
  thead .name { margin: 2px 0 0; font-size: 12px; line-height: 15px; }
  thead small, table.wordy:not(.few) thead .name { display: none; }
  table.single td .mark { flex-direction: row; gap: 8px; min-height: 34px; }
  table.single td .word, table.single td .remark { font-size: 12px; line-height: 15px; }
  tbody tr:not(.section) { padding: 10px 0 12px; border-top: 1px solid var(--line); }
  tbody tr:not(.section) > * { border: 0; }
  tr.section { margin-top: 18px; padding: 8px 0; }
  tr.section th, tbody th { position: static; grid-column: 1 / -1; padding: 0; }
  tr.section span { position: static; font-size: 15px; }
  td { padding: 0; }
  table.wordy:not(.single) td .word { font-size: 9px; line-height: 12px; }
  table.dense td .number { display: block; min-width: 0; padding: 0; background: none; color: inherit; font-size: 10px; line-height: 12px; }
  .panel {
    inset: auto 0 0 0; width: 100%; max-width: none; max-height: 88dvh; margin: 0; padding: 0 16px 24px;
    border-width: 1px 0 0; border-radius: 16px 16px 0 0;
  }
  .panel header { margin: 0 -16px; padding: 12px 12px 6px 16px; }
  .contrast { grid-template-columns: 1fr; }
  .chunks li { grid-template-columns: 34px 1fr; }
  .chunks code { padding: 5px 10px; }
  .wire .ending { padding-left: 44px; }
}

@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { --page: #ffffff; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { width: auto; padding: 0; font-size: 12px; }
  .page-head, .tools, .matrix > h2, .cards, thead th, tbody th, tr.section span { position: static; }
  .page-head, .tools, .matrix > h2, .cards, table.wordy { width: 100%; min-width: 0; margin-left: 0; }
  thead .corner, tbody th, tr.section th { padding-left: 0; }
  .filters, .close, summary .id::before { display: none; }
  .cards { grid-template-columns: repeat(3, 1fr); }
  .card, tbody tr { break-inside: avoid; }
  tr.section { break-after: avoid; }
  td .mark { min-height: 24px; }
  .panel {
    display: block; position: static; width: auto; max-height: none; margin: 0 0 16px; padding: 0 16px 16px;
    overflow: visible; box-shadow: none;
  }
  .panel header { position: static; }
  .panel h3, .panel h4, .panel header { break-after: avoid; }
}
`;
