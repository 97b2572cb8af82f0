import type { Report, ReportFinding } from '../../generated/report.ts';
import type { AgainstBaseline } from '../compare/against-baseline.ts';
import { asRootWords, briefOf, overheadWords, unseenWords, type Brief } from '../words/brief.ts';
import { outcomeWords, verdictWord } from '../words/phrases.ts';
import { countWords } from '../words/rules-told.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { command } from './table.ts';

/** The answer before anything else: what it is, what it costs, what to type, what else was found. */
export function verdictSection(report: Report, against: AgainstBaseline | undefined): Markup {
  const brief = briefOf(report);
  const root = asRootWords(report);
  const { principal, title, outcome } = brief;
  const certainty = brief.certainty === null ? nothing : markup` <span class="certainty">(${brief.certainty})</span>`;
  const code =
    principal === undefined ? nothing : markup` <a href="#finding-0">${principal.code} ${principal.rule}</a>`;
  return markup`<section class="verdict ${outcome}" aria-labelledby="verdict">
${root === undefined ? nothing : markup`<p class="root">${root}</p>\n`}<p class="label">${pill(outcome, verdictWord(brief))}${code}${certainty}</p>
<h1 id="verdict">${title}</h1>
${principal === undefined ? nothing : told(brief)}${alsoFound(brief)}${compared(against)}${circumstances(report)}</section>
`;
}

export function pill(outcome: ReportFinding['outcome'], words: string = outcomeWords[outcome]): Markup {
  return markup`<span class="pill ${outcome}">${words}</span>`;
}

function told({ facts, fix, moreFixes }: Brief): Markup {
  return markup`<dl class="answer">
${facts.map(({ label, words }) => markup`<div><dt>${label}</dt><dd>${words}</dd></div>\n`)}${
    fix === undefined
      ? nothing
      : markup`<div class="todo"><dt>Fix</dt><dd>${fix.action}${
          moreFixes > 0 ? markup` <a href="#finding-0">${moreFixes} more</a>` : nothing
        }${typed(fix.command)}</dd></div>
${line('Check', fix.verify)}${line('Undo', fix.undo)}${line('Persist', fix.lasts)}`
  }</dl>
`;
}

function typed(what: string | null): Markup {
  return what === null ? nothing : command(what);
}

function line(label: string, what: string | null | undefined): Markup {
  return what === null || what === undefined
    ? nothing
    : markup`<div><dt>${label}</dt><dd>${command(what)}</dd></div>\n`;
}

/** Findings listed under the verdict; all of them stand further down. */
const OTHERS = 12;

function alsoFound({ others }: Brief): Markup {
  if (others.length === 0) return nothing;
  const left = others.length - OTHERS;
  return markup`<h2 class="small">Also found</h2>
<ul class="also">
${others
  .slice(0, OTHERS)
  .map(
    ({ outcome, code, words, index }) =>
      markup`<li>${pill(outcome)} <a href="#finding-${index}">${code}</a> ${words}</li>\n`,
  )}${left > 0 ? markup`<li>and ${left} more below</li>` : nothing}</ul>
`;
}

function compared(against: AgainstBaseline | undefined): Markup {
  return against === undefined ? nothing : markup`<p><b>Against ${against.name}:</b> ${against.words}</p>\n`;
}

function circumstances(report: Report): Markup {
  const unseen = unseenWords(report, REASONS, 'below');
  return markup`<p class="checks"><b>Checks:</b> ${countWords(report.findings)}.</p>
${unseen === undefined ? nothing : markup`<p class="checks"><b>Not run:</b> ${unseen}.</p>\n`}<p class="checks"><b>Overhead of this run:</b> ${overheadWords(report)}.</p>
`;
}

/** Reasons told under the verdict; all of them stand further down. */
const REASONS = 3;
