import type { Signal } from '../facts/signal.ts';
import type { Evaluation, Expression, Point } from '../metrics/expression.ts';
import type { Labels } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import { unreadIn, type Missing, type Window } from '../metrics/window.ts';
import type { Evidence, Finding } from './finding.ts';
import { oneSampleOf, retold } from './one-sample.ts';
import {
  limitsOf,
  type Conclusion,
  type Overrides,
  type Proof,
  type Readings,
  type Rule,
  type SignalSpec,
} from './rule.ts';

export type { Overrides };

/** Range used in the PromQL of evidence lines: long enough for the usual scrape interval of a minute. */
const PROMQL_RANGE = '5m';

/** Most evidence lines shown for one list signal; the costliest come first. */
const LIST_LIMIT = 10;

/** Evaluates every rule on the window. Rules cannot fail the run: a bug in one is that rule's `not-measured`. */
export function evaluateRules(window: Window, rules: readonly Rule[], overrides: Overrides = {}): Finding[] {
  const fromBoot = window.single ? window.sinceBoot() : undefined;
  return rules.flatMap((rule) => {
    try {
      const totals = fromBoot === undefined ? undefined : oneSampleOf(rule);
      if (fromBoot === undefined || totals === undefined) return evaluateRule(window, rule, overrides);
      return evaluateRule(fromBoot, rule, overrides, true).map((each) => retold(each, totals, fromBoot));
    } catch (error) {
      const reason = `bug in rule ${rule.code}: ${error instanceof Error ? error.message : String(error)}`;
      return [unmeasured(rule, [{ metric: rule.id, source: 'pktcost', reason }], {}, 1)];
    }
  });
}

interface Evaluated {
  readonly name: string;
  readonly of: Expression;
  readonly kind: 'one' | 'optional' | 'list' | 'optional-list';
  readonly decides: boolean;
  readonly evaluation: Evaluation;
  /** Points by the part of the instance this expression can tell apart. */
  readonly byInstance: ReadonlyMap<string, readonly Point[]>;
  /** The labels of the rule's scope that this expression's points carry. */
  readonly keyed: readonly string[];
}

function evaluateRule(window: Window, rule: Rule, overrides: Overrides, oneSample = false): Finding[] {
  const limits = limitsOf(rule, overrides);
  const signals = Object.entries(rule.signals).map(([name, spec]) => evaluateSignal(window, rule, name, spec));
  const required = signals.filter(({ kind }) => kind === 'one' || kind === 'list');
  const absent = required.filter(({ evaluation }) => evaluation.points.length === 0 && evaluation.missing.length > 0);
  if (absent.length > 0) {
    const reason = notOnThisHost(window, absent);
    if (reason !== undefined) return [finding(rule, { outcome: 'not-applicable', reason }, {}, [], [])];
    if (passing(absent.flatMap(({ evaluation }) => evaluation.missing)))
      return [finding(rule, notThroughout, {}, [], [])];
    return [unmeasured(rule, absent.flatMap(({ evaluation }) => evaluation.missing).slice(0, 5), {}, 1)];
  }
  const instances = instancesOf(rule, signals);
  const unseen = [...unseenNamespaces(rule, required, instances, window), ...overlooked(rule, required, instances)];
  if (instances.length === 0 && unseen.length === 0) {
    const unread = unreadSources(window, required);
    if (unread.length > 0) return [unmeasured(rule, unread, {}, 1)];
    return [
      finding(rule, { outcome: 'not-applicable', reason: rule.none ?? 'nothing of the kind on this host' }, {}, [], []),
    ];
  }
  return fold(rule, [
    ...unseen,
    ...instances.map((labels) => {
      const { given, missing } = give(signals, labels, window);
      if (passing(missing)) return finding(rule, notThroughout, labels, [], []);
      if (missing.length > 0) return unmeasured(rule, missing, labels, 1);
      const unread = new Map(signals.flatMap((signal) => unreadOf(signal, labels, window)));
      const at = {
        labels,
        netns: labels['netns'] ?? OWN_NETNS,
        seconds: window.seconds,
        oneSample,
        unread: new Set(unread.keys()),
      };
      const conclusion = rule.conclude(given, limits, at);
      if (claimsHealth(conclusion)) {
        const cutShort = new Map(signals.flatMap((signal) => cutShortOf(signal, labels)));
        const lacking = signals.flatMap(({ name, decides }) => {
          const why = decides ? (unread.get(name) ?? cutShort.get(name)) : undefined;
          return why === undefined || rule.stands?.(name, given, limits, at) === true ? [] : [why];
        });
        // That there is only so much of a kind is not known while the file of one of them is missing.
        if (conclusion.outcome === 'not-applicable') lacking.push(...unreadSources(window, required));
        if (lacking.length > 0) return unmeasured(rule, lacking.slice(0, 5), labels, 1);
      }
      return finding(rule, conclusion, labels, signals, evidenceOf(conclusion, signals, labels));
    }),
  ]);
}

/** What seeing less must never lead to. */
function claimsHealth({ outcome }: Conclusion): boolean {
  return outcome === 'ok' || outcome === 'not-applicable';
}

/** The name of a signal that could not be read here, and why. That a kernel does not have it is an answer. */
function unreadOf(signal: Evaluated, at: Labels, window: Window): readonly (readonly [string, Missing])[] {
  if (pointsAt(signal, at).length > 0) return [];
  const why = [...ofInstance(signal.evaluation.missing, at), ...unreadAt(signal, at, window)].find(
    ({ absent, transient, netns }) =>
      absent !== true &&
      transient !== true &&
      (netns === undefined || !signal.of.perNetns || netns === (at['netns'] ?? OWN_NETNS)),
  );
  return why === undefined ? [] : [[signal.name, why]];
}

/** A signal of which a part may have been cut off: what there is of it may fire, and proves no health. */
function cutShortOf(signal: Evaluated, at: Labels): readonly (readonly [string, Missing])[] {
  const netns = at['netns'] ?? OWN_NETNS;
  if (signal.of.labels.length > 0 || pointsAt(signal, at).length === 0) return [];
  const why = signal.evaluation.missing.find(
    ({ labels, absent, transient }) =>
      labels !== undefined &&
      absent !== true &&
      transient !== true &&
      Object.keys(labels).every((name) => name === 'netns') &&
      (labels['netns'] ?? OWN_NETNS) === netns,
  );
  return why === undefined ? [] : [[signal.name, why]];
}

/** Files that would show an instance and could not be read: without them, that there is none is no answer. */
function unreadSources(window: Window, required: readonly Evaluated[]): readonly Missing[] {
  const metrics = new Set(required.flatMap(({ of }) => of.metrics));
  return [...metrics]
    .flatMap((metric) => {
      const gaps = [...window.before.unread(metric), ...window.after.unread(metric)];
      const unread = gaps.map(({ path, reason }) => ({ metric: metric.name, source: path, reason }));
      return [...unread, ...window.lacking(metric)].slice(0, 1);
    })
    .slice(0, 5);
}

/** Devices or CPUs of which something is known to be missing, so that no signal tells of them. */
function overlooked(rule: Rule, required: readonly Evaluated[], instances: readonly Labels[]): Finding[] {
  const names = rule.scope.filter((name) => name !== 'netns');
  if (names.length === 0) return [];
  const seen = new Set(instances.map((labels) => keyOf(labels, names)));
  const carries = (name: string): boolean =>
    required.some(({ of }) =>
      of.metrics.some((metric) => metric.name === name && names.every((label) => metric.labels.includes(label))),
    );
  return required.flatMap(({ evaluation }) =>
    evaluation.missing.flatMap((why) => {
      const { labels = {}, transient, absent } = why;
      const named = names.every((name) => (labels[name] ?? '') !== '');
      // Said of no series in particular: there may be more of them than are known.
      const ofSome = why.labels !== undefined && Object.keys(labels).length === 0 && carries(why.metric);
      if (!(named || ofSome) || transient === true || absent === true || seen.has(keyOf(labels, names))) return [];
      seen.add(keyOf(labels, names));
      const at = named ? Object.fromEntries(names.map((name) => [name, labels[name] ?? ''])) : {};
      return [unmeasured(rule, [why], at, 1)];
    }),
  );
}

/** Namespaces that nothing was read in, so that nothing in them is an instance: no rule may pass over them in silence. */
function unseenNamespaces(
  rule: Rule,
  required: readonly Evaluated[],
  instances: readonly Labels[],
  window: Window,
): Finding[] {
  const seen = new Set(instances.map(({ netns }) => netns ?? OWN_NETNS));
  const metrics = required.filter(({ of }) => of.perNetns).flatMap(({ of }) => of.metrics.slice(0, 1));
  const names = new Set(window.after.collectors.map(({ netns }) => netns));
  return [...names].flatMap((netns) => {
    if (netns === OWN_NETNS || seen.has(netns)) return [];
    for (const metric of metrics) {
      const gap = unreadIn(window.after, metric, netns);
      if (gap === undefined) continue;
      return [unmeasured(rule, [{ metric: metric.name, source: gap.path, reason: gap.reason }], { netns }, 1)];
    }
    return [];
  });
}

/**
 * What the collectors said, when all that is absent is absent because this host has nothing of the kind: conntrack not
 * loaded, no PCI bus, a kernel without NUMA. That is an answer, not a lack of one.
 */
function notOnThisHost(window: Window, absent: readonly Evaluated[]): string | undefined {
  const reasons = absent.map(({ of }) => {
    const collectors = new Set(of.metrics.map(({ collector }) => collector));
    for (const id of collectors) {
      const reports = window.after.collectors.filter((report) => report.id === id);
      if (reports.length === 0 || !reports.every(({ status }) => status === 'not-applicable')) continue;
      return reports[0]!.gaps[0]?.reason;
    }
    return undefined;
  });
  return reasons.includes(undefined) ? undefined : reasons[0];
}

function evaluateSignal(window: Window, rule: Rule, name: string, spec: SignalSpec): Evaluated {
  const wrapped = 'kind' in spec;
  const of = wrapped ? spec.of : spec;
  const kind = !wrapped ? 'one' : spec.kind === 'optional' ? 'optional' : spec.required ? 'list' : 'optional-list';
  const decides = !wrapped || spec.decides;
  const keyed = [...rule.scope.filter((label) => label === 'netns' || of.labels.includes(label)), 'netns'].filter(
    (label, index, all) => all.indexOf(label) === index && (label !== 'netns' || of.perNetns),
  );
  const evaluation = of.evaluate(window);
  const byInstance = new Map<string, Point[]>();
  for (const point of evaluation.points) {
    const key = keyOf(point.labels, keyed);
    const points = byInstance.get(key);
    if (points === undefined) byInstance.set(key, [point]);
    else points.push(point);
  }
  return { name, of, kind, decides, evaluation, byInstance, keyed };
}

/** The instances are those of the signals that carry every label of the scope. */
function instancesOf(rule: Rule, signals: readonly Evaluated[]): Labels[] {
  const perNetns = signals.some(({ of, kind }) => of.perNetns && (kind === 'one' || kind === 'list'));
  const names = perNetns ? [...new Set([...rule.scope, 'netns'])] : rule.scope;
  const drivers = signals.filter(
    ({ keyed, kind }) => (kind === 'one' || kind === 'list') && names.every((name) => keyed.includes(name)),
  );
  if (names.length === 0) return [{}];
  const found = new Map<string, Labels>();
  for (const { evaluation } of drivers) {
    for (const point of evaluation.points) {
      const labels = Object.fromEntries(names.map((name) => [name, point.labels[name] ?? '']));
      found.set(keyOf(labels, names), labels);
    }
  }
  return [...found.values()];
}

function give(
  signals: readonly Evaluated[],
  at: Labels,
  window: Window,
): { readonly given: Readings; readonly missing: readonly Missing[] } {
  const given: Record<string, Signal | readonly Signal[] | undefined> = {};
  const missing: Missing[] = [];
  for (const signal of signals) {
    const points = pointsAt(signal, at);
    if (signal.kind === 'list' || signal.kind === 'optional-list') {
      given[signal.name] = points;
      if (signal.kind === 'list' && points.length === 0) missing.push(...unreadAt(signal, at, window));
      continue;
    }
    if (points.length > 1) throw new Error(`signal ${signal.name} has ${points.length} values where one was expected`);
    given[signal.name] = points[0];
    const unanswered = points.length === 0 && signal.kind === 'one';
    if (!unanswered) continue;
    if (signal.of.metrics[0]?.sparse === true && signal.evaluation.missing.length === 0) {
      given[signal.name] = { value: 0, labels: at };
      continue;
    }
    const metric = signal.of.metrics[0];
    const told = ofInstance(signal.evaluation.missing, at);
    missing.push(
      ...(told.length > 0
        ? told.slice(0, 3)
        : [
            {
              metric: metric?.name ?? signal.name,
              source: metric?.source ?? '',
              reason: 'not there for this instance',
            },
          ]),
    );
  }
  return { given, missing };
}

/** What is missing for this very instance, where that was said; else what is missing of the signal. */
function ofInstance(missing: readonly Missing[], at: Labels): readonly Missing[] {
  const named = Object.entries(at).filter(([, value]) => value !== '');
  const own = missing.filter(
    ({ labels }) => named.length > 0 && named.every(([label, value]) => labels?.[label] === value),
  );
  // Somebody else's coming and going explains nothing here.
  return own.length > 0 ? own : missing.filter(({ transient }) => transient !== true);
}

/** A device, CPU or namespace that came or went within the window is no gap in what was looked at. */
function passing(missing: readonly Missing[]): boolean {
  return missing.length > 0 && missing.every(({ transient }) => transient === true);
}

const notThroughout = { outcome: 'not-applicable', reason: 'there for a part of the window only' } as const;

/** A namespace whose collector failed has no sockets to show, and that is no answer: other namespaces' points hide it. */
function unreadAt(signal: Evaluated, at: Labels, window: Window): readonly Missing[] {
  const metric = signal.of.metrics[0];
  if (metric === undefined || !signal.of.perNetns) return [];
  const report = window.after.collector(metric.collector, at['netns'] ?? OWN_NETNS);
  if (report?.status !== 'unavailable') return [];
  return report.gaps.slice(0, 3).map(({ path, reason }) => ({ metric: metric.name, source: path, reason }));
}

function pointsAt(signal: Evaluated, at: Labels): readonly Point[] {
  return signal.byInstance.get(keyOf(at, signal.keyed)) ?? [];
}

function keyOf(labels: Labels, names: readonly string[]): string {
  return names.map((name) => labels[name] ?? '').join('\u0000');
}

function evidenceOf(conclusion: Conclusion, signals: readonly Evaluated[], at: Labels): Evidence[] {
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

/** Fired findings stay apart; quiet instances become one, and so do instances that lack the same things. */
function fold(rule: Rule, findings: readonly Finding[]): Finding[] {
  const fired = findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning' || outcome === 'info');
  const quiet = findings.filter(({ outcome }) => outcome === 'ok');
  const lacking = findings.filter(({ outcome }) => outcome === 'not-measured');
  const told = quiet.filter(({ message }) => message !== '');
  const folded = [...fired];
  if (told.length > 0) folded.push(...told);
  else if (quiet.length > 0 && fired.length === 0)
    folded.push({ ...quiet[0]!, at: quiet.length === 1 ? quiet[0]!.at : {}, instances: quiet.length });
  const byReason = new Map<string, Finding[]>();
  for (const each of lacking) {
    const key = each.missing.map(({ metric, reason }) => `${metric} ${reason}`).join('\n');
    byReason.set(key, [...(byReason.get(key) ?? []), each]);
  }
  for (const same of byReason.values()) {
    folded.push(same.length === 1 ? same[0]! : unmeasured(rule, same[0]!.missing, {}, same.length));
  }
  return folded.length > 0 ? folded : findings.slice(0, 1);
}

function unmeasured(rule: Rule, missing: readonly Missing[], at: Labels, instances: number): Finding {
  return { ...finding(rule, { outcome: 'not-measured', reason: '' }, at, [], []), missing, instances };
}

function finding(
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
