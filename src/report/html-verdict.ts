import type { Consequence, Report, ReportFinding } from '../generated/report.ts';
import type { AgainstBaseline } from './against-baseline.ts';
import { join, markup, nothing, type Markup } from './html-markup.ts';
import { command } from './html-table.ts';
import { impactWords, outcomeWords, tally, verdictWord } from './phrases.ts';
import { fired, where } from './verdict.ts';

/** The answer before anything else: what it is, what it costs, what to type, what else was found. */
export function verdictSection(report: Report, against: AgainstBaseline | undefined): Markup {
  const { verdict, findings } = report;
  const principal = verdict.principal === null ? undefined : findings[0];
  const certainty = verdict.certainty === null ? nothing : markup` <span class="certainty">${verdict.certainty}</span>`;
  const code =
    principal === undefined ? nothing : markup` <a href="#finding-0">${principal.code} ${principal.rule}</a>`;
  const title = principal === undefined ? verdict.headline : `${principal.title}${where(principal.place)}`;
  return markup`<section class="verdict ${verdict.outcome}" aria-labelledby="verdict">
<p class="label">${pill(verdict.outcome, verdictWord(report))}${certainty}${code}</p>
<h1 id="verdict">${title}</h1>
${principal === undefined ? nothing : told(principal, report)}${alsoFound(report)}${compared(against)}${checks(report)}</section>
`;
}

export function pill(outcome: ReportFinding['outcome'], words: string = outcomeWords[outcome]): Markup {
  return markup`<span class="pill ${outcome}">${words}</span>`;
}

function told(principal: ReportFinding, report: Report): Markup {
  const costs = impactWords(principal);
  const linked = linkedWith(report.verdict);
  const remedy = principal.remedies.find((each) => each.command !== null) ?? principal.remedies[0];
  const more = principal.remedies.length - 1;
  return markup`<p class="lead">${principal.summary}</p>
${costs.length === 0 ? nothing : markup`<p><b>Cost:</b> ${costs.join(', ')}</p>\n`}${linked.map(
    ({ finding, code, summary }) =>
      markup`<p><b>At the same place:</b> <a href="#finding-${finding}">${code}</a> ${summary}</p>\n`,
  )}${
    remedy === undefined
      ? nothing
      : markup`<div class="todo"><p><b>To do:</b> ${remedy.action}${
          more > 0 ? markup` <a href="#finding-0">${more} more</a>` : nothing
        }</p>${remedy.command === null ? nothing : command(remedy.command)}</div>\n`
  }`;
}

/** What is suffered at the place of the principal finding. */
function linkedWith({ causes }: Report['verdict']): readonly Consequence[] {
  return causes.find(({ finding }) => finding === 0)?.leadsTo ?? [];
}

/** Findings listed under the verdict; all of them stand further down. */
const OTHERS = 6;

function alsoFound({ verdict, findings }: Report): Markup {
  const told = new Set([0, ...linkedWith(verdict).map(({ finding }) => finding)]);
  const others = findings.flatMap((finding, index) => (fired(finding) && !told.has(index) ? [{ finding, index }] : []));
  if (others.length === 0) return nothing;
  const left = others.length - OTHERS;
  return markup`<h2 class="small">Also found</h2>
<ul class="also">
${others
  .slice(0, OTHERS)
  .map(
    ({ finding, index }) =>
      markup`<li>${pill(finding.outcome)} <a href="#finding-${index}">${finding.code}</a> ${finding.summary}</li>\n`,
  )}${left > 0 ? markup`<li>and ${left} more below</li>` : nothing}</ul>
`;
}

function compared(against: AgainstBaseline | undefined): Markup {
  return against === undefined ? nothing : markup`<p><b>Against ${against.name}:</b> ${against.words}</p>\n`;
}

function checks(report: Report): Markup {
  const counts = tally(report).map(
    ({ outcome, rules }) =>
      markup`<span class="${rules === 0 ? 'zero' : outcome}"><b>${rules}</b> ${outcomeWords[outcome].toLowerCase()}</span>`,
  );
  return markup`<p class="checks">Checks: ${join(counts, ' · ')}</p>
`;
}
