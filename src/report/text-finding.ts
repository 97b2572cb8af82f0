import type { ReportFinding } from '../generated/report.ts';
import { paint, paragraph, show, table, type Style } from './layout.ts';
import { limitOf, seriesName, withUnit } from './units.ts';
import { where } from './verdict.ts';
import { significant } from './words.ts';

const tones = { critical: 'critical', warning: 'warning' } as const;

/** One finding: what it says, its evidence, and what to type. Commands stay on one line, however long. */
export function findingSection(finding: ReportFinding, style: Style, verbose: boolean): string[] {
  const { outcome, code, rule, certainty, evidence } = finding;
  const label = outcome.toUpperCase();
  const tone = outcome === 'critical' || outcome === 'warning' ? tones[outcome] : 'strong';
  const [first = '', ...rest] = paragraph(
    show(style, `${label} ${code} ${rule}${certainty === null ? '' : ` (${certainty})`}${where(finding.place)}`),
    style.width,
    '',
    2,
  );
  return [
    `${paint(style, tone, label)}${first.slice(label.length)}`,
    ...rest,
    ...paragraph(show(style, finding.summary, 1200), style.width, '  '),
    ...(evidence.length === 0 ? [] : ['', ...evidenceTable(finding, style, verbose)]),
    ...remedies(finding, style),
    ...paragraph(`Read more: ${finding.docs}`, style.width, '  '),
  ];
}

function evidenceTable({ evidence }: ReportFinding, style: Style, verbose: boolean): string[] {
  const number = (value: number | null): string => (value === null ? '-' : significant(value));
  const rows = evidence.map((line) => [
    show(style, seriesName(line)),
    number(line.before),
    number(line.after),
    show(style, withUnit(line.value, line.unit)),
    show(style, limitOf(line)),
  ]);
  const right = { align: 'right' } as const;
  const heads = [
    { head: 'Evidence' },
    { head: 'Before', ...right },
    { head: 'After', ...right },
    { head: 'Value', ...right },
    { head: 'Limit', ...right },
  ];
  const sources = [...new Set(evidence.map(({ source }) => source).filter((source) => source !== ''))];
  return [
    ...table(style, heads, rows),
    ...(sources.length === 0 ? [] : paragraph(`Read from ${show(style, sources.join(', '))}`, style.width, '  ', 2)),
    ...(verbose ? evidence.map(({ promql }) => `  PromQL: ${show(style, promql, 4000)}`) : []),
  ];
}

function remedies(finding: ReportFinding, style: Style): string[] {
  return finding.remedies.flatMap(({ action, command, verify }, index) => [
    ...(index === 0 ? ['', '  What to do:'] : []),
    ...paragraph(`${index + 1}. ${show(style, action)}`, style.width, '  ', 3),
    ...(command === null ? [] : [`     $ ${show(style, command, 4000)}`]),
    ...(verify === null ? [] : [`     then check: $ ${show(style, verify, 4000)}`]),
  ]);
}
