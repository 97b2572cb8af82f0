import type { ReportFinding } from '../../generated/report.ts';
import { placeWords } from '../words/findings.ts';
import { evidenceTable } from '../tables/evidence.ts';
import { pacedWords } from '../words/units.ts';
import { paint, paragraph, show, type Style } from './layout.ts';
import { drawTable } from './table.ts';

const tones = { critical: 'critical', warning: 'warning' } as const;

/** One finding: what it says, its evidence, and what to type. Commands stay on one line, however long. */
export function findingSection(finding: ReportFinding, style: Style): string[] {
  const { outcome, code, rule, certainty, evidence } = finding;
  const label = outcome.toUpperCase();
  const tone = outcome === 'critical' || outcome === 'warning' ? tones[outcome] : 'strong';
  const [first = '', ...rest] = paragraph(
    show(style, `${label} ${code} ${rule}${certainty === null ? '' : ` (${certainty})`}${placeWords(finding.place)}`),
    style.width,
    '',
    2,
  );
  return [
    `${paint(style, tone, label)}${first.slice(label.length)}`,
    ...rest,
    ...paragraph(show(style, finding.summary, 4000), style.width, '  '),
    ...(evidence.length === 0 ? [] : ['', ...evidenceLines(finding, style)]),
    ...remedies(finding, style),
    ...paragraph(`Read more: pktcost rules explain ${code}`, style.width, '  '),
  ];
}

function evidenceLines({ evidence }: ReportFinding, style: Style): string[] {
  const sources = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  const { shared, table } = evidenceTable(evidence);
  const paced = pacedWords(evidence);
  return [
    ...(shared === '' ? [] : paragraph(`All of ${show(style, shared)}:`, style.width, '  ', 2)),
    ...drawTable(style, table, evidence),
    ...(sources.length === 0 ? [] : paragraph(`Read from ${show(style, sources.join(', '))}`, style.width, '  ', 2)),
    ...(paced === undefined ? [] : paragraph(paced, style.width, '  ', 2)),
    ...evidence.map(({ promql }) => `  PromQL: ${show(style, promql, 4000)}`),
  ];
}

function remedies(finding: ReportFinding, style: Style): string[] {
  return finding.remedies.flatMap(({ action, ...typed }, index) => [
    ...(index === 0 ? ['', '  What to do:'] : []),
    ...paragraph(`${index + 1}. ${show(style, action, 4000)}`, style.width, '  ', 3),
    ...remedyLines.flatMap(([field, label]) => commandLines(label, typed[field] ?? null, style)),
  ]);
}

const remedyLines = [
  ['command', ''],
  ['verify', 'Check'],
  ['undo', 'Undo'],
  ['lasts', 'Persist'],
] as const;

function commandLines(label: string, command: string | null, style: Style): string[] {
  return command === null ? [] : [`     ${label.padEnd(8)}$ ${show(style, command, 4000)}`];
}
