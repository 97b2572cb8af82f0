import type { Expression } from '../metrics/expression.ts';
import type { Metric, ReadingUnit } from '../metrics/metric.ts';
import { limitsOf, type Alert, type Overrides, type Rule } from './rule.ts';

const severities = ['critical', 'warning'] as const;
type Severity = (typeof severities)[number];

/**
 * Counts are of the whole range, so that one burst holds a condition for about as long as the range is: a critical one
 * is told then, a warning only where it goes on.
 */
const lasting: Readonly<Record<Severity, string>> = { critical: '2m', warning: '5m' };

/** An alerting rule of Prometheus. */
export interface AlertRule {
  readonly code: string;
  readonly name: string;
  readonly severity: Severity;
  readonly promql: string;
  readonly lasting: string;
  readonly summary: string;
  readonly description: string;
  /** The rule's page, from the root of the repository. */
  readonly runbook: string;
  /** Series beyond what node_exporter shows by default without each of which it never fires. */
  readonly needs: readonly Metric[];
  /** Series of that kind of which it takes one at least. */
  readonly needsOne: readonly Metric[];
  /** Series of that kind which only add to it. */
  readonly uses: readonly Metric[];
  /** Where it is not what the verdict is, and why. */
  readonly differs: readonly string[];
}

export interface NotExported {
  readonly code: string;
  readonly id: string;
  readonly why: string;
}

export interface AlertRules {
  readonly range: string;
  readonly exported: readonly AlertRule[];
  readonly left: readonly NotExported[];
}

/**
 * What a server of metrics can say of the rules, with their limits.
 * @param range a PromQL duration: rates and counts are of that long
 */
export function alertRules(rules: readonly Rule[], overrides: Overrides, range: string): AlertRules {
  return {
    range,
    exported: rules.flatMap((rule) => {
      const raised = raisedBy(rule, overrides);
      return severities.flatMap((severity) => {
        const alert = raised[severity];
        return alert === undefined ? [] : [alertRule(rule, severity, alert, range)];
      });
    }),
    left: rules.flatMap(({ code, id, alert }) =>
      alert !== undefined && 'none' in alert ? [{ code, id, why: alert.none }] : [],
    ),
  };
}

/** The alerts of a rule, its limits changed by `overrides`; none where the rule is left to pktcost. */
export function raisedBy(rule: Rule, overrides: Overrides = {}): { readonly [S in Severity]?: Alert } {
  if (rule.alert === undefined || 'none' in rule.alert) return {};
  const signals = Object.fromEntries(
    Object.entries(rule.signals).map(([name, spec]): [string, Expression] => [name, 'kind' in spec ? spec.of : spec]),
  );
  return rule.alert.raise(signals, limitsOf(rule, overrides));
}

function alertRule(rule: Rule, severity: Severity, { when, says, ...alert }: Alert, range: string): AlertRule {
  const extra = byNameOnce(when.metrics.filter(isExtra));
  const needs = extra.filter((metric) => !when.speaks((each) => each !== metric));
  const others = extra.filter((metric) => !needs.includes(metric));
  const enough = when.speaks((metric) => !others.includes(metric));
  return {
    code: rule.code,
    name: `Pktcost${rule.id.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    severity,
    promql: when.promql(range),
    lasting: alert.lasting ?? lasting[severity],
    summary: `${rule.title} (${placeTemplate(when)})`,
    description: says.replaceAll('{value}', formatted(when.unit)).replaceAll('{range}', range),
    runbook: `docs/rules/${rule.code}.md`,
    needs,
    needsOne: enough ? [] : others,
    uses: enough ? others : [],
    differs: rule.alert !== undefined && 'raise' in rule.alert ? Object.values(rule.alert.differs ?? {}) : [],
  };
}

/** The instance in the words of Prometheus' templates; a namespace is named where it is not the exporter's own. */
function placeTemplate({ labels, perNetns }: Expression): string {
  const words: Readonly<Record<string, string>> = { cpu: 'CPU ', node: 'node ' };
  return [
    '{{ $labels.instance }}',
    ...(perNetns ? ['{{ with $labels.netns }}, namespace {{ . }}{{ end }}'] : []),
    ...labels.map((label) => `, ${words[label] ?? ''}{{ $labels.${label} }}`),
  ].join('');
}

function formatted(unit: ReadingUnit): string {
  if (unit === 'ratio') return '{{ $value | humanizePercentage }}';
  return `{{ $value | humanize }}${unit.endsWith('/s') ? ' per second' : ''}`;
}

/** Whether a node_exporter as it comes does not show it. */
function isExtra({ pageOnly, exporterFlag }: Metric): boolean {
  return pageOnly || exporterFlag !== undefined;
}

function byNameOnce(metrics: readonly Metric[]): Metric[] {
  return [...new Set(metrics)].sort((a, b) => (a.name < b.name ? -1 : 1));
}
