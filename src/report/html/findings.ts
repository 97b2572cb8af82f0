import type { EvidenceLine, Report, ReportFinding } from '../../generated/report.ts';
import { impactWords } from '../words/phrases.ts';
import { fired, placeWords } from '../words/findings.ts';
import { pacedWords } from '../words/units.ts';
import { rulesThatAre } from '../words/rules-told.ts';
import { evidenceTable, tellingEvidence, zeroWords } from '../tables/evidence.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { command, drawTable, folded, name } from './table.ts';
import { pill } from './verdict.ts';

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
  const telling = tellingEvidence(evidence);
  const { shared, table } = evidenceTable(telling);
  const hidden = evidence.length - telling.length;
  const paced = pacedWords(telling);
  return markup`<article id="finding-${index}" class="finding ${outcome}" aria-labelledby="finding-${index}-t">
<p class="label">${pill(outcome)}${certainty === null ? nothing : markup` <span class="certainty">${certainty}</span>`} ${code} ${rule}${
    instances > 1 ? `, ${instances} places` : nothing
  }${costs.length === 0 ? nothing : markup` <span class="impact">${costs.join(', ')}</span>`}</p>
<h3 id="finding-${index}-t">${title}${placeWords(place)}</h3>
<p>${summary}</p>
${remedies(finding)}${
    evidence.length === 0
      ? nothing
      : folded(`Evidence: ${evidence.length} reading${evidence.length === 1 ? '' : 's'}`, [
          shared === '' ? nothing : markup`<p class="faint">All of ${name(shared)}:</p>\n`,
          drawTable(table, telling, {
            caption: `Evidence of ${code}`,
            className: 'stack evidence',
            most: EVIDENCE,
          }),
          hidden === 0 ? nothing : markup`<p class="faint">${zeroWords(hidden)}.</p>\n`,
          paced === undefined ? nothing : markup`<p class="faint">${paced}</p>\n`,
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
  ({ action, command: typed, verify, undo, lasts }) =>
    markup`<li>${action}${typed === null ? nothing : command(typed)}${further('Check:', verify)}${further('Undo:', undo)}${further('Persist:', lasts)}</li>\n`,
)}</ol>
`;
}

function further(label: string, typed: string | null | undefined): Markup {
  return typed === null || typed === undefined ? nothing : markup`<p class="verify">${label}</p>${command(typed)}`;
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
  const spoken = new Set(said.map(({ code, rule }) => `${code} ${rule}`));
  const quiet = rulesThatAre('ok', findings).filter((name) => !spoken.has(name));
  const out = rulesThatAre('not-applicable', findings);
  if (said.length + quiet.length + out.length === 0) return nothing;
  const codes = (label: string, names: readonly string[]): Markup =>
    names.length === 0 ? nothing : markup`<p><b>${label}:</b> ${names.join(', ')}</p>\n`;
  return markup`<h3 class="checked">Also checked</h3>
${said.length === 0 ? nothing : markup`<ul>${said.map(({ code, summary }) => markup`<li>${code} ${summary}</li>\n`)}</ul>\n`}${codes('Checked, no problem', quiet)}${codes('Do not apply to this host', out)}`;
}
