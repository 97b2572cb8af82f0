import { parseConntrackStat } from '../collectors/conntrack.ts';
import { runCollector, type Collector } from '../collectors/collector.ts';
import { ownersOf } from '../collectors/owners.ts';
import { readersOf } from '../collectors/readers.ts';
import { overlay, type DumpName, type Reader } from '../collectors/reader.ts';
import { inNamespace } from '../ffi/namespaces.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { atOnce, type Steps } from '../base/steps.ts';
import { dumpMissed } from '../probe/rtnetlink.ts';
import { OWN_NETNS, Snapshot, gapOf, type Gap, type Keep } from '../metrics/snapshot.ts';
import type { ChosenNamespaces } from './choose.ts';
import { isDevicePath, liveReader, monotonicSeconds, type Roots } from './live-reader.ts';
import type { LiveOptions } from './dumps/modules.ts';
import { readRingLosses } from './dumps/nics.ts';
import type { NetworkNamespace } from './netns.ts';

/** A network namespace that a sample looks into besides pktcost's own; live, recorded or replayed. */
export interface NamespaceView {
  readonly name: string;
  /** What to name in the report when it cannot be entered. */
  readonly path: string;
  /** Calls `look` once with a reader for the namespace, before it returns. */
  readonly visit: (look: (reader: Reader) => void) => Result<unknown>;
}

export interface Sample {
  readonly reader: Reader;
  readonly collectors: readonly Collector[];
  readonly namespaces?: readonly NamespaceView[];
  /** When a recorded sample was taken; now, if not given. */
  readonly taken?: { readonly takenAt: string; readonly at: number };
  /** Which series to take in; all, if not given. */
  readonly keep?: Keep;
}

/**
 * One pass over the host: every collector in pktcost's own namespace, those of scope `netns` also in each namespace
 * given, and at the end the owners of the sockets that were found.
 */
export function takeSample(sample: Sample): Snapshot {
  return atOnce(sampleInSteps(sample));
}

/** A step for each collector and each namespace. */
export function* sampleInSteps({ reader, collectors, namespaces = [], taken, keep }: Sample): Steps<Snapshot> {
  const { takenAt, at } = taken ?? { takenAt: new Date().toISOString(), at: monotonicSeconds() };
  const snapshot = new Snapshot(takenAt, at, keep);
  for (const collector of collectors) {
    runCollector(collector, reader, snapshot);
    yield;
  }
  const { perNamespace, tooMany } = forEachNamespace(collectors, namespaces.length);
  for (const { name, path, visit } of namespaces) {
    const visited = visit((there) => {
      for (const collector of perNamespace) runCollector(collector, there, snapshot, name);
    });
    if (!visited.ok) noteUnvisited(snapshot, perNamespace, name, gapOf(path, visited));
    else for (const collector of tooMany) noteUnread(snapshot, collector, name);
    yield;
  }
  runCollector(ownersOf(snapshot), reader, snapshot);
  yield;
  runCollector(readersOf(snapshot), reader, snapshot);
  return snapshot;
}

/** The collectors that look into other namespaces, and those that do not into so many. */
export function forEachNamespace(
  collectors: readonly Collector[],
  namespaces: number,
): { readonly perNamespace: readonly Collector[]; readonly tooMany: readonly Collector[] } {
  const inside = collectors.filter(({ scope }) => scope === 'netns');
  const tooMany = inside.filter(({ manyNamespaces }) => namespaces > (manyNamespaces?.most ?? Infinity));
  return { perNamespace: inside.filter((collector) => !tooMany.includes(collector)), tooMany };
}

export function noteUnread(snapshot: Snapshot, { id, manyNamespaces }: Collector, netns: string): void {
  if (manyNamespaces === undefined) return;
  const { most, unread } = manyNamespaces;
  const gap = { path: unread, reason: `not read, as there are more than ${most} namespaces` };
  snapshot.collectors.push({ id, netns, status: 'unavailable', gaps: [gap], milliseconds: 0 });
}

export function noteUnvisited(snapshot: Snapshot, collectors: readonly Collector[], netns: string, gap: Gap): void {
  for (const { id } of collectors) {
    snapshot.collectors.push({ id, netns, status: 'unavailable', gaps: [gap], milliseconds: 0 });
  }
}

/** Views of live namespaces, pktcost's own left out. */
export function liveViews(
  namespaces: readonly NetworkNamespace[],
  roots: Roots,
  options: LiveOptions = {},
): readonly NamespaceView[] {
  const reader = withoutDevices(liveReader(roots, options));
  const limits: TableLimits = new Map();
  return namespaces
    .filter(({ name }) => name !== OWN_NETNS)
    .map(({ name, path }) => ({
      name,
      path,
      visit: (look) =>
        inNamespace(path, () => {
          look(withConntrackFromStat(reader, limits));
        }),
    }));
}

/** Stands for namespaces that could not be listed: they are told like one that could not be entered. */
export function unlistedView(reason: string): NamespaceView {
  return {
    name: 'others',
    path: '/proc/*/ns/net',
    visit: () => fail(`the network namespaces could not be listed: ${reason}`),
  };
}

type TableLimits = Map<string, Result<Uint8Array>>;

const stat = '/proc/net/stat/nf_conntrack';
const netfilter = '/proc/sys/net/netfilter/nf_conntrack_';

/**
 * Spares every namespace the three reads below /proc/sys/net that conntrack needs. The table's entries are in the column
 * `entries` of the statistics, which are read anyway, on every row the namespace's whole number; size and limit of the
 * table are variables of the whole kernel (nf_conntrack_core.c: nf_conntrack_max, nf_conntrack_htable_size).
 */
function withConntrackFromStat(reader: Reader, limits: TableLimits): Reader {
  let statistics: Result<Uint8Array> | undefined;
  const readStatistics = (): Result<Uint8Array> => (statistics ??= reader.read(stat));
  return overlay(reader, {
    read: (path) => {
      if (path === stat) return readStatistics();
      if (path === `${netfilter}max` || path === `${netfilter}buckets`) {
        const known = limits.get(path) ?? reader.read(path);
        limits.set(path, known);
        return known;
      }
      if (path !== `${netfilter}count`) return undefined;
      const bytes = readStatistics();
      const parsed = bytes.ok ? parseConntrackStat(bytes.value) : bytes;
      const entries = parsed.ok ? parsed.value.get('entries')?.[0] : undefined;
      return entries === undefined ? undefined : ok(Buffer.from(`${entries}\n`));
    },
  });
}

const hidden = fail('sysfs shows the devices of its own network namespace only');

/**
 * A sysfs mount shows the devices of the namespace it was mounted in: inside another they would be the wrong ones. What it has of a
 * card's losses is asked for with what its driver tells.
 */
function withoutDevices(reader: Reader): Reader {
  const hide = (path: string): typeof hidden | undefined => (isDevicePath(path) ? hidden : undefined);
  const dump = (name: DumpName): Result<unknown> | undefined =>
    name === 'ring_losses' ? readRingLosses(dumpMissed) : undefined;
  return overlay(reader, { read: hide, list: hide, link: hide, dump });
}

/** The chosen namespaces, and one that says why others may be missing. */
export function viewsOf({ namespaces, unlisted }: ChosenNamespaces, roots: Roots): readonly NamespaceView[] {
  return [...liveViews(namespaces, roots), ...(unlisted === undefined ? [] : [unlistedView(unlisted)])];
}
