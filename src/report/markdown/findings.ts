/** Findings with their remedies; their evidence is folded away. */
import type { Report, ReportFinding } from '../../generated/report.ts';
import { evidenceTable, tellingEvidence, zeroWords } from '../tables/evidence.ts';
import { impactWords, outcomeWords } from '../words/phrases.ts';
import { fired, placeWords } from '../words/findings.ts';
import { pacedWords } from '../words/units.ts';
import { rulesThatAre } from '../words/rules-told.ts';
import { code, folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';
import { more } from './cut.ts';
import { typed } from './typed.ts';

export function findingsSection({ findings: found }: Report, rows: number): string[] {
  const told = found.filter((finding) => fired(finding) || finding.outcome === 'info');
  const said = found.filter(({ outcome, message }) => outcome === 'ok' && message !== null);
  const spoken = new Set(said.map(({ code: rule, rule: id }) => `${rule} ${id}`));
  const quiet = rulesThatAre('ok', found).filter((name) => !spoken.has(name));
  const out = rulesThatAre('not-applicable', found);
  const checked = [
    ...said.slice(0, rows).map(({ code: rule, summary }) => `- ${rule} ${prose(summary)}`),
    ...(quiet.length === 0 ? [] : [`- Checked, no problem: ${quiet.join(', ')}`]),
    ...(out.length === 0 ? [] : [`- Do not apply to this host: ${out.join(', ')}`]),
  ];
  return [
    ...(told.length === 0 ? [] : ['### Findings', '']),
    ...told.slice(0, rows).flatMap((finding) => findingLines(finding, rows)),
    ...more(told.length - rows),
    ...(checked.length === 0 ? [] : folded('Also checked', checked)),
  ];
}

function findingLines(finding: ReportFinding, rows: number): string[] {
  const { outcome, code: rule, rule: id, certainty, title, place, summary, evidence, remedies } = finding;
  const costs = impactWords(finding);
  return [
    `#### ${outcomeWords[outcome]} ${rule} ${id}${certainty === null ? '' : ` (${certainty})`}`,
    '',
    `**${prose(`${title}${placeWords(place)}`)}**${costs.length === 0 ? '' : `: ${costs.join(', ')}`}`,
    '',
    prose(summary),
    '',
    ...remedies
      .slice(0, rows)
      .flatMap(({ action, command, verify, undo, lasts }, index) => [
        `${index + 1}. ${prose(action)}`,
        '',
        ...typed('', command, '   ').slice(1),
        ...typed('   Check:', verify, '   '),
        ...typed('   Undo:', undo, '   '),
        ...typed('   Persist:', lasts, '   '),
      ]),
    ...(evidence.length === 0
      ? []
      : folded(`Evidence of ${rule}: ${evidence.length} reading${evidence.length === 1 ? '' : 's'}`, [
          ...evidenceLines(finding, rows),
        ])),
    '',
  ];
}

function evidenceLines({ evidence }: ReportFinding, rows: number): string[] {
  const sources = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  const telling = tellingEvidence(evidence);
  const { shared, table } = evidenceTable(telling);
  const hidden = evidence.length - telling.length;
  const paced = pacedWords(telling);
  return [
    ...(shared === '' ? [] : [`All of ${code(shared)}:`, '']),
    ...drawTable(table, telling.slice(0, rows)),
    '',
    ...(hidden === 0 ? [] : [`${zeroWords(hidden)}.`, '']),
    ...(paced === undefined ? [] : [paced, '']),
    ...more(telling.length - rows),
    ...(sources.length === 0
      ? []
      : [
          `Read from ${sources
            .slice(0, rows)
            .map((source) => code(source))
            .join(', ')}.`,
        ]),
  ];
}
