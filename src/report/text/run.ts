import type { Report } from '../../generated/report.ts';
import { collectorTable } from '../tables/collectors.ts';
import { actionTable, limitTable, planRows, planTable, runTitles } from '../tables/run.ts';
import type { Table } from '../tables/table.ts';
import { collectorGroups } from '../words/phrases.ts';
import { paint, type Style } from './layout.ts';
import { drawTable } from './table.ts';

/** What the run changed, by which limits it judged, and where the probe was. */
export function runSection({ probe, selfCost, thresholds }: Report, style: Style): string[] {
  const tables = [
    titled(runTitles.actions, actionTable, selfCost.actions, style),
    titled(runTitles.limits, limitTable, thresholds, style),
    titled(runTitles.plan, planTable, planRows(probe.plan), style),
  ].filter((lines) => lines.length > 0);
  if (tables.length === 0) return [];
  return [
    paint(style, 'strong', 'THIS MEASUREMENT'),
    ...tables.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
  ];
}

function titled<Row>(title: string, table: Table<Row>, rows: readonly Row[], style: Style): string[] {
  return rows.length === 0 ? [] : [`  ${title}:`, ...drawTable(style, table, rows, '    ')];
}

export function collectorsSection({ collectors }: Report, style: Style): string[] {
  const rows = collectorGroups(collectors);
  return rows.length === 0 ? [] : [paint(style, 'strong', 'COLLECTORS'), ...drawTable(style, collectorTable, rows)];
}
