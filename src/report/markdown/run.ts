/** What the run could not measure, and how it was done. */
import type { Report } from '../../generated/report.ts';
import { planTable } from '../tables/run.ts';
import { collectorGroups, few } from '../words/phrases.ts';
import { significant } from '../words/formats.ts';
import { code, folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';
import { more } from './cut.ts';

export function notMeasuredSection({ notMeasured: lacking, collectors }: Report, rows: number): string[] {
  const groups = collectorGroups(collectors.filter(({ status }) => status === 'partial' || status === 'unavailable'));
  if (lacking.length + groups.length === 0) return [];
  return [
    '### Not measured, and why',
    '',
    ...lacking.slice(0, rows).map(({ reason, sources, rules }) => {
      const from = sources.length === 0 ? '' : ` (${few(sources)})`;
      return `- ${rules.join(', ')}: ${prose(`${reason}${from}`)}`;
    }),
    ...more(lacking.length - rows),
    '',
    ...(groups.length === 0
      ? []
      : folded(`Collectors that lack something: ${groups.length}`, [
          ...groups.slice(0, rows).map(({ row, why, netns }) => {
            const at = netns.length === 0 ? '' : `, in namespace ${few(netns)}`;
            return `- ${prose(row.id)}, ${row.status}: ${prose(`${why}${at}`)}`;
          }),
          ...more(groups.length - rows),
        ])),
  ];
}

export function runSection({ probe, thresholds, baseline, tool, schemaVersion }: Report, rows: number): string[] {
  return [
    ...(thresholds.length === 0
      ? []
      : [
          'Limits the configuration changed:',
          '',
          ...thresholds.slice(0, rows).map(({ code: rule, name, value, default: usual, unit }) => {
            const before = usual === null ? '' : `, ${significant(usual)} by default`;
            return `- ${prose(`${rule} ${name}`)}: ${significant(value)}${before}${unit === null ? '' : ` (${prose(unit)})`}`;
          }),
          '',
        ]),
    ...(baseline === null ? [] : [`Compared with ${code(baseline)}.`, '']),
    ...(probe.plan.length === 0
      ? []
      : folded('What the probe was attached to, and what not', drawTable(planTable, probe.plan.slice(0, rows)))),
    `pktcost ${prose(tool.version)}, report schema ${prose(schemaVersion)}.`,
  ];
}
