import type { Rule, SignalSpec } from './rule.ts';

export interface RuleDescription {
  readonly code: string;
  readonly id: string;
  readonly role: string;
  readonly title: string;
  readonly scope: readonly string[];
  readonly signals: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly metrics: readonly string[];
    readonly sources: readonly string[];
    readonly promql: string;
  }[];
  readonly thresholds: readonly {
    readonly name: string;
    readonly value: number;
    readonly unit: string;
    readonly help: string;
    readonly source: string;
  }[];
}

/** Everything a rule declares, as plain data. */
export function describeRule(rule: Rule): RuleDescription {
  return {
    code: rule.code,
    id: rule.id,
    role: rule.role,
    title: rule.title,
    scope: rule.scope,
    signals: Object.entries(rule.signals).map(([name, spec]) => describeSignal(name, spec)),
    thresholds: Object.entries(rule.thresholds).map(([name, threshold]) => ({ name, ...threshold })),
  };
}

function describeSignal(name: string, spec: SignalSpec): RuleDescription['signals'][number] {
  const wrapped = 'kind' in spec;
  const of = wrapped ? spec.of : spec;
  const required = !wrapped || (spec.kind === 'list' && spec.required);
  return {
    name,
    required,
    metrics: [...new Set(of.metrics.map((metric) => metric.name))],
    sources: [...new Set(of.metrics.map((metric) => metric.source))],
    promql: of.promql('5m'),
  };
}
