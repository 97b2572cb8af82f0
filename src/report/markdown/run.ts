/** What the run could not measure, and how it was done. */
import type { Report } from '../../generated/report.ts';
import { collectorTable, lackingRows } from '../tables/collectors.ts';
import { actionTable, limitTable, planRows, planTable, runTitles } from '../tables/run.ts';
import { collectorGroups, few } from '../words/phrases.ts';
import { code, folded, prose } from './syntax.ts';
import { firstOf, more } from './cut.ts';

export function notMeasuredSection({ notMeasured: lacking, collectors }: Report, rows: number): string[] {
  const groups = lackingRows(collectors);
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
      : folded(`Collectors that lack something: ${groups.length}`, firstOf(collectorTable, groups, rows))),
  ];
}

export function runSection(report: Report, rows: number): string[] {
  const { probe, selfCost, thresholds, collectors, baseline, tool, schemaVersion } = report;
  const groups = collectorGroups(collectors);
  return [
    '### This measurement',
    '',
    ...(selfCost.actions.length === 0
      ? ['Nothing was changed on the host.', '']
      : [`${runTitles.actions}:`, '', ...firstOf(actionTable, selfCost.actions, rows)]),
    ...(thresholds.length === 0 ? [] : [`${runTitles.limits}:`, '', ...firstOf(limitTable, thresholds, rows)]),
    ...(baseline === null ? [] : [`Compared with ${code(baseline)}.`, '']),
    ...(probe.plan.length === 0 ? [] : folded(runTitles.plan, firstOf(planTable, planRows(probe.plan), rows))),
    ...(groups.length === 0 ? [] : folded(`Collectors: ${groups.length}`, firstOf(collectorTable, groups, rows))),
    `pktcost ${prose(tool.version)}, report schema ${prose(schemaVersion)}.`,
  ];
}
