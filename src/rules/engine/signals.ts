/** The signals of a rule, evaluated once and kept by the instance that they tell of. */
import type { Evaluation, Expression, Point } from '../../metrics/expression.ts';
import type { Labels } from '../../metrics/metric.ts';
import type { Window } from '../../metrics/window.ts';
import { OWN_NETNS } from '../../metrics/snapshot.ts';
import type { Rule, SignalSpec } from '../rule.ts';

export interface Evaluated {
  readonly name: string;
  readonly of: Expression;
  readonly kind: 'one' | 'optional' | 'list' | 'optional-list';
  readonly decides: boolean;
  readonly evaluation: Evaluation;
  /** Points by the part of the instance this expression can tell apart. */
  readonly byInstance: ReadonlyMap<string, Point | readonly Point[]>;
  /** The labels of the rule's scope that this expression's points carry. */
  readonly keyed: readonly string[];
}

export function evaluateSignal(window: Window, rule: Rule, name: string, spec: SignalSpec): Evaluated {
  const wrapped = 'kind' in spec;
  const of = wrapped ? spec.of : spec;
  const kind = !wrapped ? 'one' : spec.kind === 'optional' ? 'optional' : spec.required ? 'list' : 'optional-list';
  const decides = !wrapped || spec.decides;
  const keyed = [...rule.scope.filter((label) => label === 'netns' || of.labels.includes(label)), 'netns'].filter(
    (label, index, all) => all.indexOf(label) === index && (label !== 'netns' || of.perNetns),
  );
  const evaluation = of.evaluate(window);
  const byInstance = new Map<string, Point | Point[]>();
  for (const point of evaluation.points) {
    const key = instanceKey(point.labels, keyed);
    const known = byInstance.get(key);
    if (known === undefined) byInstance.set(key, point);
    else if (Array.isArray(known)) known.push(point);
    else byInstance.set(key, [known, point]);
  }
  return { name, of, kind, decides, evaluation, byInstance, keyed };
}

const NONE: readonly Point[] = [];

export function pointsAt(signal: Evaluated, at: Labels): readonly Point[] {
  if (isOfOthers(signal, at)) return NONE;
  const found = signal.byInstance.get(instanceKey(at, signal.keyed));
  if (found === undefined) return NONE;
  return 'value' in found ? [found] : found;
}

/** What is read of devices of pktcost's own namespace alone says nothing of one of the same name elsewhere: every pod has an eth0. */
export function isOfOthers({ of, keyed }: Evaluated, at: Labels): boolean {
  return !of.perNetns && keyed.includes('device') && (at['netns'] ?? OWN_NETNS) !== OWN_NETNS;
}

/** Seconds between the two readings of the first counter that tells of an instance; undefined where none does. */
export function secondsAt(signals: readonly Evaluated[], at: Labels): number | undefined {
  for (const signal of signals)
    for (const { readings } of pointsAt(signal, at).slice(0, 1))
      for (const { seconds } of readings) if (seconds !== undefined) return seconds;
  return undefined;
}

export function instanceKey(labels: Labels, names: readonly string[]): string {
  if (names.length === 1) return labels[names[0]!] ?? '';
  return names.map((name) => labels[name] ?? '').join('\u0000');
}
