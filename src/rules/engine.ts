import { atOnce, type Steps } from '../base/steps.ts';
import type { Signal } from '../facts/signal.ts';
import type { Labels } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Missing, Window } from '../metrics/window.ts';
import type { Finding } from './finding.ts';
import { withDropsAlone } from './drops-alone.ts';
import { withLog } from './kernel-log.ts';
import { oneSampleOf, retold } from './one-sample.ts';
import { limitsOf, type Conclusion, type Overrides, type Readings, type Rule } from './rule.ts';
import { evaluateSignal, pointsAt, instanceKey, secondsAt, type Evaluated } from './engine/signals.ts';
import { evidenceOf, fold, unmeasured, finding } from './engine/findings.ts';
import {
  claimsHealth,
  unreadOf,
  cutShortOf,
  unreadSources,
  overlooked,
  unseenNamespaces,
  notOnThisHost,
  ofInstance,
  passing,
  notThroughout,
  unreadAt,
} from './engine/lacking.ts';

export type { Overrides };

/** Evaluates every rule on the window. Rules cannot fail the run: a bug in one is that rule's `not-measured`. */
export function evaluateRules(window: Window, rules: readonly Rule[], overrides: Overrides = {}): Finding[] {
  return atOnce(evaluateInSteps(window, rules, overrides));
}

/** A step for each rule. */
export function* evaluateInSteps(window: Window, rules: readonly Rule[], overrides: Overrides): Steps<Finding[]> {
  const fromBoot = window.single ? window.sinceBoot() : undefined;
  const findings: Finding[] = [];
  for (const rule of rules) {
    findings.push(...foundBy(rule, window, fromBoot, overrides));
    yield;
  }
  return findings;
}

function foundBy(rule: Rule, window: Window, fromBoot: Window | undefined, overrides: Overrides): Finding[] {
  try {
    const totals = fromBoot === undefined ? undefined : oneSampleOf(rule);
    const found =
      fromBoot === undefined || totals === undefined
        ? evaluateRule(window, rule, overrides)
        : withDropsAlone(
            evaluateRule(fromBoot, rule, overrides, true).map((each) => retold(each, totals, fromBoot)),
            rule.code,
            fromBoot,
          );
    return withLog(found, rule.code, window);
  } catch (error) {
    const reason = `bug in rule ${rule.code}: ${error instanceof Error ? error.message : String(error)}`;
    return [unmeasured(rule, [{ metric: rule.id, source: 'pktcost', reason }], {}, 1)];
  }
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
  const silent: Silent = new Map();
  const judged = (labels: Labels): Finding => {
    const { given, missing } = give(signals, labels, window);
    if (passing(missing)) return onceFor(silent, notThroughout, () => finding(rule, notThroughout, labels, [], []));
    if (missing.length > 0) return unmeasured(rule, missing, labels, 1);
    const unread = new Map(signals.flatMap((signal) => unreadOf(signal, labels, window)));
    const cutShort = new Map(signals.flatMap((signal) => cutShortOf(signal, labels)));
    const at = {
      labels,
      netns: labels['netns'] ?? OWN_NETNS,
      seconds: secondsAt(signals, labels) ?? lengthOf(window),
      oneSample,
      unread: new Set(unread.keys()),
      partly: new Set(cutShort.keys()),
    };
    const conclusion = rule.conclude(given, limits, at);
    if (claimsHealth(conclusion)) {
      const lacking = signals.flatMap(({ name, decides }) => {
        const why = decides ? (unread.get(name) ?? cutShort.get(name)) : undefined;
        return why === undefined || rule.stands?.(name, given, limits, at, why) === true ? [] : [why];
      });
      // That there is only so much of a kind is not known while the file of one of them is missing.
      if (conclusion.outcome === 'not-applicable') lacking.push(...unreadSources(window, required));
      if (lacking.length > 0) return unmeasured(rule, lacking.slice(0, 5), labels, 1);
    }
    return onceFor(silent, conclusion, () =>
      finding(rule, conclusion, labels, signals, evidenceOf(conclusion, signals, labels)),
    );
  };
  return fold(rule, everyOne(unseen, instances, judged));
}

/** A window of one scrape has no length, and nothing rose in it: what is divided by it stays 0. */
function lengthOf({ seconds }: Window): number {
  return seconds > 0 ? seconds : 1;
}

/** The first finding of each outcome that says nothing: of those that `fold` counts it shows no other. */
type Silent = Map<Conclusion['outcome'], Finding>;

function onceFor(silent: Silent, conclusion: Conclusion, make: () => Finding): Finding {
  const { outcome } = conclusion;
  const says = outcome !== 'not-applicable' && (outcome !== 'ok' || (conclusion.message ?? '') !== '');
  if (says) return make();
  const made = silent.get(outcome) ?? make();
  silent.set(outcome, made);
  return made;
}

/** Made one at a time, so that what is folded together is never there at once. */
function* everyOne(
  unseen: readonly Finding[],
  instances: readonly Labels[],
  judged: (labels: Labels) => Finding,
): Generator<Finding> {
  yield* unseen;
  for (const labels of instances) yield judged(labels);
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
      found.set(instanceKey(labels, names), labels);
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
