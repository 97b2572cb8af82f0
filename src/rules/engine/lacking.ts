/** What was not seen, and why: seeing less must never lead to a healthy finding. */
import type { Labels } from '../../metrics/metric.ts';
import { collectorIn, OWN_NETNS } from '../../metrics/snapshot.ts';
import { unreadIn, type Missing, type Window } from '../../metrics/window.ts';
import type { Finding } from '../finding.ts';
import type { Conclusion, Rule } from '../rule.ts';
import { instanceKey, isOfOthers, pointsAt, type Evaluated } from './signals.ts';
import { unmeasured } from './findings.ts';

/** What seeing less must never lead to. */
export function claimsHealth({ outcome }: Conclusion): boolean {
  return outcome === 'ok' || outcome === 'not-applicable';
}

/** The name of a signal that could not be read here, and why. That a kernel does not have it is an answer. */
export function unreadOf(signal: Evaluated, at: Labels, window: Window): readonly (readonly [string, Missing])[] {
  if (isOfOthers(signal, at) || pointsAt(signal, at).length > 0) return [];
  const isReason = ({ absent, transient, netns }: Missing): boolean =>
    absent !== true &&
    transient !== true &&
    (netns === undefined || !signal.of.perNetns || netns === (at['netns'] ?? OWN_NETNS));
  const why = ofInstance(signal.evaluation.missing, at).find(isReason) ?? unreadAt(signal, at, window).find(isReason);
  return why === undefined ? [] : [[signal.name, why]];
}

/** A signal of which a part may have been cut off: what there is of it may fire, and proves no health. */
export function cutShortOf(signal: Evaluated, at: Labels): readonly (readonly [string, Missing])[] {
  const netns = at['netns'] ?? OWN_NETNS;
  if (pointsAt(signal, at).length === 0) return [];
  // A label that the instance does not have is one that was added up, or that tells the points of a list apart.
  const isOf = ({ netns: of, ...labels }: Labels): boolean =>
    (!signal.of.perNetns || (of ?? OWN_NETNS) === netns) &&
    Object.entries(labels).every(([name, value]) => (at[name] ?? '') === '' || at[name] === value);
  const why = signal.evaluation.missing.find(
    ({ labels, absent, transient }) => labels !== undefined && absent !== true && transient !== true && isOf(labels),
  );
  return why === undefined ? [] : [[signal.name, why]];
}

/** Files that would show an instance and could not be read: without them, that there is none is no answer. */
export function unreadSources(window: Window, required: readonly Evaluated[]): readonly Missing[] {
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
export function overlooked(rule: Rule, required: readonly Evaluated[], instances: readonly Labels[]): Finding[] {
  const names = rule.scope.filter((name) => name !== 'netns');
  if (names.length === 0) return [];
  const seen = new Set(instances.map((labels) => instanceKey(labels, names)));
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
      if (!(named || ofSome) || transient === true || absent === true || seen.has(instanceKey(labels, names)))
        return [];
      seen.add(instanceKey(labels, names));
      const at = named ? Object.fromEntries(names.map((name) => [name, labels[name] ?? ''])) : {};
      return [unmeasured(rule, [why], at, 1)];
    }),
  );
}

/**
 * Namespaces that nothing was read in, so that nothing in them is an instance: no rule may pass over them in silence. Of the host's own
 * another namespace may be read where a file of it was not copied.
 */
export function unseenNamespaces(
  rule: Rule,
  required: readonly Evaluated[],
  instances: readonly Labels[],
  window: Window,
): Finding[] {
  const seen = new Set(instances.map(({ netns }) => netns ?? OWN_NETNS));
  const metrics = required.filter(({ of }) => of.perNetns).flatMap(({ of }) => of.metrics.slice(0, 1));
  return [...window.after.namespaces()].flatMap((netns) => {
    if (seen.has(netns)) return [];
    for (const metric of metrics) {
      const gap = unreadIn(window.after, metric, netns) ?? window.after.unread(metric, netns)[0];
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
export function notOnThisHost(window: Window, absent: readonly Evaluated[]): string | undefined {
  const reasons = absent.map(({ of }) => {
    const collectors = [...new Set(of.metrics.map(({ collector }) => collector))];
    const inapplicable = collectors.flatMap((id) => {
      const reports = window.after.reports(id);
      const none = reports.length > 0 && reports.every(({ status }) => status === 'not-applicable');
      return none ? [reports[0]!.gaps[0]?.reason] : [];
    });
    // Of one or the other each has to be none; of what is taken together one is enough.
    return of.alternatives === true && inapplicable.length < collectors.length ? undefined : inapplicable[0];
  });
  return reasons.includes(undefined) ? undefined : reasons[0];
}

/** What is missing for this very instance, where that was said; else what is missing of the signal, but for what is of another. */
export function ofInstance(missing: readonly Missing[], at: Labels): readonly Missing[] {
  const names = Object.keys(at)
    .filter((name) => at[name] !== '')
    .sort();
  const { own, general } = sortedBy(missing, names);
  const ofAnother = ({ labels }: Missing): boolean =>
    names.some((name) => labels?.[name] !== undefined && labels[name] !== at[name]);
  return own.get(instanceKey(at, names)) ?? general.filter((each) => !ofAnother(each));
}

interface Sorted {
  /** Those that have all of the labels, by their values. */
  readonly own: ReadonlyMap<string, readonly Missing[]>;
  /** The others, without somebody else's coming and going: that explains nothing here. */
  readonly general: readonly Missing[];
}

const known = new WeakMap<readonly Missing[], Map<string, Sorted>>();

/** Made once of each list: that of a host with 100,000 devices is as long, and is asked for each of them. */
function sortedBy(missing: readonly Missing[], names: readonly string[]): Sorted {
  const ways = known.get(missing) ?? new Map<string, Sorted>();
  known.set(missing, ways);
  const found = ways.get(names.join());
  if (found !== undefined) return found;
  const own = new Map<string, Missing[]>();
  const general: Missing[] = [];
  for (const each of missing) {
    const { labels } = each;
    if (names.length === 0 || labels === undefined || names.some((name) => labels[name] === undefined)) {
      if (each.transient !== true) general.push(each);
      continue;
    }
    const key = instanceKey(labels, names);
    const same = own.get(key);
    if (same === undefined) own.set(key, [each]);
    else same.push(each);
  }
  ways.set(names.join(), { own, general });
  return { own, general };
}

/** A device, CPU or namespace that came or went within the window is no gap in what was looked at. */
export function passing(missing: readonly Missing[]): boolean {
  return missing.length > 0 && missing.every(({ transient }) => transient === true);
}

export const notThroughout = { outcome: 'not-applicable', reason: 'there for a part of the window only' } as const;

/** A namespace whose collector failed has no sockets to show, and that is no answer: other namespaces' points hide it. */
export function unreadAt(signal: Evaluated, at: Labels, window: Window): readonly Missing[] {
  const metric = signal.of.metrics[0];
  if (metric === undefined || !signal.of.perNetns) return [];
  const netns = at['netns'] ?? OWN_NETNS;
  const report = window.after.collector(collectorIn(metric, netns), netns);
  if (report?.status !== 'unavailable') return [];
  return report.gaps.slice(0, 3).map(({ path, reason }) => ({ metric: metric.name, source: path, reason }));
}
