import type { Report } from '../../generated/report.ts';
import { againstBaseline } from '../compare/against-baseline.ts';
import { renderJson } from '../json.ts';
import { hostFactsOf, verdictWord, windowWords } from '../words/phrases.ts';
import { costSection, spansSection } from './cost.ts';
import { cpuSection } from './cpus.ts';
import { findingsSection } from './findings.ts';
import { ledgerSection } from './ledger.ts';
import { join, markup, trusted, type Markup } from './markup.ts';
import { profileSection } from './profile.ts';
import { notMeasuredSection, runSection } from './run.ts';
import { styleSheet } from './style.ts';
import { dropsSection, tapsSection } from './taps.ts';
import { verdictSection } from './verdict.ts';
import { hatch } from './svg/bar.ts';

export interface HtmlOptions {
  /** The report given with --baseline: held against, and for the outlines in the histograms. */
  readonly baseline?: Report | null | undefined;
}

/** Nothing is loaded, nothing runs, nothing is sent; the style sheet and the SVG stand in the file. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The report as one page that works offline, on paper and on a telephone, with the JSON report in it. */
export function renderHtml(report: Report, { baseline }: HtmlOptions = {}): string {
  const host = report.host.hostname ?? 'unknown host';
  return markup`<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${verdictWord(report.verdict)}: ${host}, ${report.window.startedAt} (pktcost)</title>
<style>
${trusted(styleSheet)}</style>
</head>
<body>
${hatch}
${header(report)}<main>
${verdictSection(report, againstBaseline(report, baseline))}${contents(report)}${costSection(report)}${profileSection(report)}${spansSection(report, baseline ?? undefined)}${tapsSection(report)}${dropsSection(report)}${ledgerSection(report)}${cpuSection(report)}${findingsSection(report)}${notMeasuredSection(report)}${runSection(report)}</main>
<footer><p>Made by pktcost ${report.tool.version}. The report as JSON, schema ${report.schemaVersion}, is inside this file.</p></footer>
<script type="application/json" id="report">
${embedded(report)}</script>
</body>
</html>
`.text;
}

function header(report: Report): Markup {
  const facts = [...hostFactsOf(report), report.window.startedAt, windowWords(report)];
  return markup`<header><p><b>pktcost</b> ${join(
    facts.map((fact) => markup`<span>${fact}</span>`),
    ' · ',
  )}</p></header>
`;
}

function contents({ cost, profile, taps, notMeasured }: Report): Markup {
  const links: [string, string][] = [
    ['cost', 'Cost'],
    ...(profile === undefined ? [] : [['profile', 'Parts'] as [string, string]]),
    ['spans', 'Latency'],
    ['taps', `Taps (${taps.filter(({ onHotPath }) => onHotPath).length})`],
    ['drops', 'Drops'],
    ...(cost.cpus.length === 0 ? [] : [['cpus', 'CPUs'] as [string, string]]),
    ['findings', 'Findings'],
    ['unmeasured', `Not measured (${notMeasured.length})`],
    ['run', 'This measurement'],
  ];
  return markup`<nav aria-label="Contents">${links.map(([id, words]) => markup`<a href="#${id}">${words}</a> `)}</nav>
`;
}

/** A data block: no browser runs it, and nothing in it can end it. */
function embedded(report: Report): Markup {
  return trusted(
    renderJson(report).replace(/[<>&]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
