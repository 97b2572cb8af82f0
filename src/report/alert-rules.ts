import type { Metric } from '../metrics/metric.ts';
import { exporterFlag, onPageOnly, type AlertRule, type AlertRules } from '../rules/alerts.ts';
import { promqlLines } from './promql-lines.ts';

/** The rules as a file for Prometheus: a group for each hundred of codes, in the order of the codes. */
export function renderAlertRules({ range, exported, left }: AlertRules, version: string): string {
  const groups = new Map<string, AlertRule[]>();
  for (const rule of exported) {
    const hundred = rule.code.slice(0, -2);
    groups.set(hundred, [...(groups.get(hundred) ?? []), rule]);
  }
  const lines = [
    ...comment('', `Alerting rules of pktcost ${version}, from pktcost rules export --range ${range}.`),
    ...comment('', 'They say what pktcost diagnose would, as far as series that a server keeps can say it. A warning'),
    ...comment('', 'holds for what is critical as well. docs/ALERTS.md tells where the series come from.'),
    '#',
    ...comment('', 'Not exported:'),
    ...left.flatMap(({ code, id, why }) => comment('  ', `${code} ${id}: ${why}`)),
    'groups:',
    ...[...groups].flatMap(([hundred, rules]) => [
      `  - name: pktcost-${hundred}`,
      '    rules:',
      ...rules.flatMap((rule) => linesOf(rule).map((line) => `      ${line}`)),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf(rule: AlertRule): string[] {
  return [
    ...needsOf('Needs', rule.needs),
    ...needsOf('Uses as well, where it is there,', rule.helped),
    ...rule.differs.flatMap((why) => comment('', `Not as the verdict: ${why}.`)),
    `- alert: ${rule.name}`,
    '  expr: |-',
    ...promqlLines(rule.promql, '    '),
    `  for: ${rule.lasting}`,
    '  labels:',
    `    severity: ${rule.severity}`,
    `    code: ${rule.code}`,
    '  annotations:',
    `    summary: ${quoted(rule.summary)}`,
    `    description: ${quoted(rule.description)}`,
    `    runbook: ${quoted(rule.runbook)}`,
  ];
}

function needsOf(word: string, metrics: readonly Metric[]): string[] {
  const page = metrics.filter(onPageOnly);
  const flags = new Set(metrics.flatMap((metric) => exporterFlag(metric) ?? []));
  return [
    ...(page.length > 0 ? comment('', `${word} ${names(page)}: only on the page of pktcost metrics.`) : []),
    ...[...flags].flatMap((flag) => {
      const shown = metrics.filter((metric) => exporterFlag(metric) === flag);
      return comment('', `${word} ${names(shown)}: node_exporter with ${flag}, or that page.`);
    }),
  ];
}

function names(metrics: readonly Metric[]): string {
  return metrics.map(({ name }) => name).join(', ');
}

function comment(indent: string, text: string): string[] {
  return [`# ${indent}${text}`];
}

/** A scalar in single quotes, in which nothing but the quote itself means anything. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
