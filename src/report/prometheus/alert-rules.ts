import { exposedAs, type Metric } from '../../metrics/metric.ts';
import type { AlertRule, AlertRules } from '../../rules/alerts.ts';
import { promqlLines } from './promql-lines.ts';

/** The rules as a file for Prometheus: a group for each hundred of codes, in the order of the codes. */
export function renderAlertRules({ range, exported, left }: AlertRules, version: string): string {
  const groups = new Map<string, AlertRule[]>();
  for (const rule of exported) {
    const hundred = rule.code.slice(0, -2);
    groups.set(hundred, [...(groups.get(hundred) ?? []), rule]);
  }
  const lines = [
    comment(`Alerting rules of pktcost ${version}, from pktcost rules export --range ${range}.`),
    comment('They say what pktcost diagnose would, as far as series that a server keeps can say it. A warning'),
    comment('holds for what is critical as well. The page is that of pktcost metrics: docs/ALERTS.md.'),
    '#',
    comment('Not exported:'),
    ...left.map(({ code, id, why }) => comment(`  ${code} ${id}: ${why}`)),
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
    ...sourcesOf('Needs', rule.needs),
    ...sourcesOf('Needs some of', rule.needsOne),
    ...sourcesOf('Uses as well, where it is there,', rule.uses),
    ...rule.differs.map((why) => comment(`Not as the verdict: ${why}.`)),
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

function sourcesOf(word: string, metrics: readonly Metric[]): string[] {
  const bySource = new Map<string, string[]>();
  for (const metric of metrics) {
    const { exporterFlag: flag } = metric;
    const source = flag === undefined ? 'only on the page' : `node_exporter ${flag}, or the page`;
    bySource.set(source, [...(bySource.get(source) ?? []), exposedAs(metric).name]);
  }
  const sources = [...bySource].sort().reverse();
  const told = sources.map(([source, names]) => `${names.join(', ')} (${source})`);
  return told.length === 0 ? [] : [comment(`${word} ${told.join('; ')}.`)];
}

function comment(text: string): string {
  return `# ${text}`;
}

/** A scalar in single quotes, in which nothing but the quote itself means anything. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
