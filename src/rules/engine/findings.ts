/** Findings: of what a rule concluded, of what it could not, and folded where many say the same. */
import type { Point } from '../../metrics/expression.ts';
import type { Labels } from '../../metrics/metric.ts';
import type { Missing } from '../../metrics/window.ts';
import type { Evidence, Finding } from '../finding.ts';
import type { Conclusion, Proof, Rule } from '../rule.ts';
import { pointsAt, type Evaluated } from './signals.ts';

/** Range used in the PromQL of evidence lines: long enough for the usual scrape interval of a minute. */
const PROMQL_RANGE = '5m';

/** Most evidence lines shown for one list signal; the costliest come first. */
const LIST_LIMIT = 10;

export function evidenceOf(conclusion: Conclusion, signals: readonly Evaluated[], at: Labels): Evidence[] {
  if (conclusion.outcome === 'not-measured' || conclusion.outcome === 'not-applicable') return [];
  const proof: Proof<string> = conclusion.evidence ?? {};
  return Object.entries(proof).flatMap(([name, comparison]) => {
    const signal = signals.find((each) => each.name === name);
    if (signal === undefined) return [];
    const points = [...pointsAt(signal, at)].sort((a, b) => b.value - a.value).slice(0, LIST_LIMIT);
    return points.map((point) => evidenceFor(signal, point, comparison ?? null));
  });
}

function evidenceFor(
  signal: Evaluated,
  point: Point,
  comparison: readonly [Evidence['comparison'], number] | null,
): Evidence {
  const metric = signal.of.metrics[0];
  const only = point.readings.length === 1 ? point.readings[0] : undefined;
  return {
    signal: signal.name,
    metric: metric?.name ?? signal.name,
    over: [...new Set(signal.of.over?.map(({ name }) => name))],
    labels: point.labels,
    before: only?.before ?? null,
    after: only?.after ?? null,
    value: point.value,
    unit: signal.of.unit,
    threshold: comparison?.[1] ?? null,
    comparison: comparison?.[0] ?? null,
    source: metric?.source ?? '',
    promql: signal.of.promql(PROMQL_RANGE),
  };
}

/**
 * Fired findings stay apart; quiet instances become one, and so do instances that lack the same things. What becomes one is
 * counted and not kept: a host with 100,000 devices has as many quiet instances of each rule about devices.
 */
export function fold(rule: Rule, findings: Iterable<Finding>): Finding[] {
  const fired: Finding[] = [];
  const told: Finding[] = [];
  let first: Finding | undefined;
  let quiet: Finding | undefined;
  let quiets = 0;
  const byReason = new Map<string, { readonly first: Finding; instances: number }>();
  for (const each of findings) {
    first ??= each;
    if (each.outcome === 'critical' || each.outcome === 'warning' || each.outcome === 'info') fired.push(each);
    else if (each.outcome === 'ok' && each.message !== '') told.push(each);
    else if (each.outcome === 'ok') {
      quiet ??= each;
      quiets += 1;
    } else if (each.outcome === 'not-measured') {
      const key = each.missing.map(({ metric, reason }) => `${metric} ${reason}`).join('\n');
      const same = byReason.get(key);
      if (same === undefined) byReason.set(key, { first: each, instances: 1 });
      else same.instances += 1;
    }
  }
  const folded = [...fired, ...told];
  if (told.length === 0 && quiet !== undefined && fired.length === 0)
    folded.push({ ...quiet, at: quiets === 1 ? quiet.at : {}, instances: quiets });
  for (const { first: one, instances } of byReason.values())
    folded.push(instances === 1 ? one : unmeasured(rule, one.missing, {}, instances));
  return folded.length > 0 || first === undefined ? folded : [first];
}

export function unmeasured(rule: Rule, missing: readonly Missing[], at: Labels, instances: number): Finding {
  return { ...finding(rule, { outcome: 'not-measured', reason: '' }, at, [], []), missing, instances };
}

export function finding(
  rule: Rule,
  conclusion: Conclusion,
  at: Labels,
  signals: readonly Evaluated[],
  evidence: readonly Evidence[],
): Finding {
  const base = { code: rule.code, rule: rule.id, role: rule.role, title: rule.title, at, instances: 1, evidence };
  if (conclusion.outcome === 'not-measured' || conclusion.outcome === 'not-applicable') {
    const missing =
      conclusion.reason === '' || conclusion.outcome === 'not-applicable'
        ? []
        : [
            {
              metric: signals[0]?.of.metrics[0]?.name ?? rule.id,
              source: signals[0]?.of.metrics[0]?.source ?? '',
              reason: conclusion.reason,
            },
          ];
    const words = conclusion.outcome === 'not-applicable' ? '{reason}' : '';
    const args = words === '' ? {} : { reason: conclusion.reason };
    const message = words === '' ? '' : 'not-applicable';
    return {
      ...base,
      outcome: conclusion.outcome,
      certainty: null,
      message,
      words,
      args,
      place: {},
      impact: {},
      remedies: [],
      missing,
    };
  }
  const message = conclusion.message ?? '';
  const netns = at['netns'];
  const device = at['device'];
  const cpu = at['cpu'];
  const place = {
    ...(netns === undefined ? {} : { netns }),
    ...(device === undefined ? {} : { device }),
    ...(cpu === undefined ? {} : { cpus: [cpu] }),
    ...conclusion.place,
  };
  return {
    ...base,
    outcome: conclusion.outcome,
    certainty: conclusion.certainty ?? null,
    message,
    words: rule.messages[message] ?? '',
    args: conclusion.args ?? {},
    place,
    impact: conclusion.impact ?? {},
    remedies: conclusion.remedies ?? [],
    missing: [],
  };
}
