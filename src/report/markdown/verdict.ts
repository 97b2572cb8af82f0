/** The verdict, what to do first, and what else was found. */
import type { Report } from '../../generated/report.ts';
import type { AgainstBaseline } from '../compare/against-baseline.ts';
import { outcomeWords, verdictWord } from '../words/phrases.ts';
import { asRootWords, briefOf, overheadWords, runWords, unseenWords, type Brief } from '../words/brief.ts';
import { countWords } from '../words/rules-told.ts';
import { code, prose } from './syntax.ts';
import { typed } from './typed.ts';

export function verdictSection(report: Report, against: AgainstBaseline | undefined): string[] {
  const brief = briefOf(report);
  const { principal, title, certainty } = brief;
  const unseen = unseenWords(report, REASONS, 'below');
  const root = asRootWords(report);
  return [
    ...(root === undefined ? [] : [prose(root), '']),
    `## pktcost: ${verdictWord(brief)}${principal === undefined ? '' : ` ${principal.code} ${principal.rule}`}${certainty === null ? '' : ` (${certainty})`}`,
    '',
    `**${prose(title)}**`,
    '',
    ...answer(brief),
    '',
    ...alsoFound(brief),
    '',
    `- Checks: ${countWords(report.findings)}.`,
    ...(unseen === undefined ? [] : [`- Not run: ${prose(unseen)}.`]),
    ...(against === undefined ? [] : [`- Against ${code(against.name)}: ${prose(against.words)}`]),
    `- Overhead of this run: ${prose(overheadWords(report))}.`,
    `- Run: ${prose(runWords(report))}.`,
    '',
  ];
}

/** Reasons told under the verdict; all of them stand further down. */
const REASONS = 3;
const OTHERS = 12;

function answer({ facts, fix, moreFixes }: Brief): string[] {
  return [
    ...facts.map(({ label, words }) => `- **${label}:** ${prose(words)}`),
    ...(fix === undefined
      ? []
      : [
          `- **Fix:** ${prose(fix.action)}${moreFixes > 0 ? ` (${moreFixes} more below)` : ''}`,
          ...typed('', fix.command, '  '),
          ...typed('- **Check:**', fix.verify, '  '),
          ...typed('- **Undo:**', fix.undo, '  '),
          ...typed('- **Persist:**', fix.lasts, '  '),
        ]),
  ];
}

function alsoFound({ others }: Brief): string[] {
  if (others.length === 0) return [];
  const left = others.length - OTHERS;
  return [
    '**Also found**',
    '',
    ...others
      .slice(0, OTHERS)
      .map(({ outcome, code: rule, words }) => `- ${outcomeWords[outcome]} ${rule}: ${prose(words)}`),
    ...(left > 0 ? [`- and ${left} more below`] : []),
  ];
}
