import type { EvidenceLine, Report, ReportFinding } from '../generated/report.ts';
import { left } from './html-cost.ts';
import { markup, nothing, type Markup } from './html-markup.ts';
import { command, folded, name, tableOf } from './html-table.ts';
import { pill } from './html-verdict.ts';
import { impactWords } from './phrases.ts';
import { limitOf, seriesName, withUnit } from './units.ts';
import { fired, where } from './verdict.ts';
import { significant } from './words.ts';

const EVIDENCE = 200;

export function findingsSection({ findings }: Report): Markup {
  const told = findings.flatMap((finding, index) =>
    fired(finding) || finding.outcome === 'info' ? [article(finding, index)] : [],
  );
  return markup`<section aria-labelledby="findings">
<h2 id="findings">Findings and evidence</h2>
${told.length === 0 ? markup`<p>Nothing fired.</p>\n` : told}${alsoChecked(findings)}</section>
`;
}

function article(finding: ReportFinding, index: number): Markup {
  const { code, rule, certainty, title, summary, place, evidence, outcome, instances } = finding;
  const costs = impactWords(finding);
  return markup`<article id="finding-${index}" class="finding ${outcome}" aria-labelledby="finding-${index}-t">
<p class="label">${pill(outcome)}${certainty === null ? nothing : markup` <span class="certainty">${certainty}</span>`} ${code} ${rule}${
    instances > 1 ? `, ${instances} places` : nothing
  }${costs.length === 0 ? nothing : markup` <span class="impact">${costs.join(', ')}</span>`}</p>
<h3 id="finding-${index}-t">${title}${where(place)}</h3>
<p>${summary}</p>
${remedies(finding)}${
    evidence.length === 0
      ? nothing
      : folded(`Evidence: ${evidence.length} reading${evidence.length === 1 ? '' : 's'}`, [
          evidenceTable(code, evidence),
          sources(evidence),
          promql(evidence),
        ])
  }<p class="faint">Read more: <code>pktcost rules explain ${code}</code></p>
</article>
`;
}

function remedies({ remedies: advice }: ReportFinding): Markup {
  if (advice.length === 0) return nothing;
  return markup`<ol class="remedies">
${advice.map(
  ({ action, command: typed, verify }) =>
    markup`<li>${action}${typed === null ? nothing : command(typed)}${
      verify === null ? nothing : markup`<p class="verify">Then check:</p>${command(verify)}`
    }</li>\n`,
)}</ol>
`;
}

function evidenceTable(code: string, evidence: readonly EvidenceLine[]): Markup {
  const shown = evidence.slice(0, EVIDENCE);
  const number = (value: number | null): string => (value === null ? '-' : significant(value));
  const right = { align: 'right' } as const;
  return tableOf({
    caption: `Evidence of ${code}${left(evidence.length - shown.length)}`,
    className: 'stack evidence',
    heads: [
      { name: 'Reading' },
      { name: 'Before', ...right },
      { name: 'After', ...right },
      { name: 'Value', ...right },
      { name: 'Limit', ...right },
    ],
    rows: shown.map((line) => [
      name(seriesName(line)),
      number(line.before),
      number(line.after),
      withUnit(line.value, line.unit),
      limitOf(line),
    ]),
  });
}

function sources(evidence: readonly EvidenceLine[]): Markup {
  const found = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  if (found.length === 0) return nothing;
  return markup`<p class="faint">Read from ${found.map((source, index) => markup`${index === 0 ? '' : ', '}${name(source)}`)}</p>
`;
}

function promql(evidence: readonly EvidenceLine[]): Markup {
  const asked = [
    ...new Set(
      evidence
        .slice(0, EVIDENCE)
        .map((line) => line.promql)
        .filter((query) => query !== ''),
    ),
  ];
  if (asked.length === 0) return nothing;
  return markup`<p class="verify">The same questions for Prometheus:</p>
${asked.map((query) => command(query))}
`;
}

function alsoChecked(findings: readonly ReportFinding[]): Markup {
  const said = findings.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const quiet = findings.filter(({ outcome, message }) => outcome === 'ok' && message === null);
  const out = findings.filter(({ outcome }) => outcome === 'not-applicable');
  if (said.length + quiet.length + out.length === 0) return nothing;
  const codes = (label: string, of: readonly ReportFinding[]): Markup =>
    of.length === 0
      ? nothing
      : markup`<p><b>${label}:</b> ${[...new Set(of.map(({ code, rule }) => `${code} ${rule}`))].join(', ')}</p>\n`;
  return markup`<h3 class="checked">Also checked</h3>
${said.length === 0 ? nothing : markup`<ul>${said.map(({ code, summary }) => markup`<li>${code} ${summary}</li>\n`)}</ul>\n`}${codes('Nothing of the kind seen', quiet)}${codes('Do not apply to this host', out)}`;
}
