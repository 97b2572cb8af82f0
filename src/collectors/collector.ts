import { monotonicMs } from '../base/clock.ts';
import type { Labels, Metric } from '../metrics/metric.ts';
import { isAbsent } from '../base/errno.ts';
import type { Result } from '../base/result.ts';
import {
  OWN_NETNS,
  gapOf,
  type CollectorReport,
  type CollectorState,
  type Gap,
  type Snapshot,
} from '../metrics/snapshot.ts';
import { contentOf } from './cursor.ts';
import type { DumpName, Reader } from './reader.ts';

export type Errno = 'EACCES' | 'EINVAL' | 'ENODEV' | 'EOPNOTSUPP' | 'EPERM';

/** What a collector may do: ask the host, and emit series. Whatever the host refuses is noted as a gap by itself. */
export interface Host {
  /** Whether this is pktcost's own network namespace: the devices in /sys are its. */
  readonly own: boolean;
  /** Reads and parses a file. Unreadable or malformed: undefined, and a gap with the path and the reason. */
  parse<T>(path: string, parser: (bytes: Uint8Array) => Result<T>): T | undefined;
  /**
   * The same, for a file whose absence is normal: no gap when it does not exist, a gap when it exists and fails. Further
   * errnos that mean "nothing to say" for this file can be named, such as EINVAL for the speed of a link that is down.
   */
  parseIfPresent<T>(path: string, parser: (bytes: Uint8Array) => Result<T>, ...silent: readonly Errno[]): T | undefined;
  /** Names in a directory; undefined and a gap when it cannot be listed. */
  list(path: string): readonly string[] | undefined;
  /** Names in a directory whose absence is normal. */
  listIfPresent(path: string): readonly string[];
  /** Whether a directory was looked for where it would be, and is not there: a copy that does not hold it says nothing. */
  hasNone(path: string): boolean;
  /** The target of a symbolic link, or undefined (no gap: links are asked for where they may be). */
  link(path: string): string | undefined;
  /** A named answer of the kernel, decoded; undefined and a gap named after the dump when it failed. */
  dump<T>(name: DumpName, decode: (answer: unknown) => Result<T>, inodes?: readonly number[]): T | undefined;
  /** The same, for an answer that only improves on what the files say: no gap when it cannot be had. */
  dumpIfPresent<T>(name: DumpName, decode: (answer: unknown) => Result<T>): T | undefined;
  /** Something the collector itself found wanting. */
  gap(path: string, reason: string): void;
  /** The host said that there is nothing of the kind: what else could not be read leaves it partial. */
  answered(): void;
  /** A series that is there on the host, and could not be told. */
  lack<L extends string>(metric: Metric<L>, labels: { readonly [K in L]?: string }, reason: string): void;
  /** The subject does not exist on this host (no NUMA, no PCI, module not loaded): not a gap, and said once. */
  notApplicable(path: string, reason: string): void;
}

/** A host-scope collector may name the `netns` of a series itself. `value` is a list of u32 cells, one per CPU, for metrics of width `u32-per-cpu`. */
export type Emit = <L extends string>(
  metric: Metric<L>,
  labels: { readonly [K in L]: string } & { readonly netns?: string },
  value: number | readonly number[],
) => void;

/** What others have to know of a collector. */
export interface CollectorFacts {
  readonly id: string;
  /** `netns`: run once in every namespace looked into; `host`: its sources are the same from everywhere. */
  readonly scope: 'host' | 'netns';
  /** The paths it reads, for the docs and `doctor`; `*` stands for each. */
  readonly reads: readonly string[];
  /** Its label `device` is a network interface, so that `--device` leaves out the series of the others. */
  readonly perDevice?: true;
  /** What node_exporter calls its collector of the same, where it has another name for it. */
  readonly exporterName?: string;
  /** `doctor` has a section of its own about it. */
  readonly examinedApart?: true;
  /** Which of its files hold names or addresses in a form of their own, so that these can be taken out of a bundle. */
  readonly holds?: Readonly<Record<string, FileForm>>;
  /** Its series of other namespaces are few, and all of them are kept: somebody looks at each. */
  readonly fewPerNamespace?: true;
  /** It takes too long with more than `most` other namespaces: it is left out in them, and said of the path `unread`. */
  readonly manyNamespaces?: { readonly most: number; readonly unread: string };
}

/**
 * Forms in which a file holds names and addresses: `inet-sockets` as /proc/net/tcp, `groups` as /proc/net/igmp,
 * `mac-groups` as /proc/net/dev_mcast, `thread-stat` and `thread-status` as /proc/PID/stat and status, `smbios` as the
 * tables of the firmware, `mounts` as /proc/PID/mountinfo, `control-groups` as /proc/PID/cgroup, `host-name` nothing else;
 * `nothing` what only looks like an address.
 */
export type FileForm =
  | 'inet-sockets'
  | 'groups'
  | 'mac-groups'
  | 'thread-stat'
  | 'thread-status'
  | 'smbios'
  | 'mounts'
  | 'control-groups'
  | 'host-name'
  | 'nothing';

export interface Collector extends CollectorFacts {
  /**
   * Those with a lower one run before it: the counters that are divided by each other stand together, what describes the
   * host comes after. The owners of sockets are looked for last of all, see owners.ts.
   */
  readonly turn: number;
  collect(host: Host, emit: Emit): void;
}

export function defineCollector(collector: Collector): Collector {
  return collector;
}

/**
 * Runs one collector against one reader and puts what it yields into the snapshot. A NaN or an infinity never becomes
 * a series: it is a gap. An exception inside a collector is our bug, and is reported as such without ending the run.
 */
export function runCollector(
  collector: Collector,
  reader: Reader,
  snapshot: Snapshot,
  netns = OWN_NETNS,
): CollectorReport {
  const started = monotonicMs();
  const gaps: Gap[] = [];
  const seen = { emitted: 0, answered: false, notApplicable: false };
  const gap = (path: string, reason: string): void => {
    gaps.push({ path, reason });
  };
  const settle = <T>(path: string, result: Result<T>): T | undefined => {
    if (result.ok) return result.value;
    gaps.push(gapOf(path, result));
    return undefined;
  };
  const host: Host = {
    own: netns === OWN_NETNS,
    gap,
    answered: () => {
      seen.answered = true;
    },
    lack: (metric, labels, reason) => {
      snapshot.lack(metric, labels as Labels, reason);
    },
    notApplicable: (path, reason) => {
      // What could not be read proves nothing of the host.
      if (gaps.some((each) => each.path === path)) return;
      seen.notApplicable = true;
      gap(path, reason);
    },
    parse: (path, parser) => {
      const bytes = settle(path, reader.read(path));
      return bytes === undefined ? undefined : settle(path, parser(contentOf(path, bytes)));
    },
    parseIfPresent: (path, parser, ...silent) => {
      const bytes = reader.read(path);
      if (!bytes.ok && (isAbsent(bytes) || silent.some((errno) => bytes.errno === errno))) return undefined;
      const read = settle(path, bytes);
      return read === undefined ? undefined : settle(path, parser(contentOf(path, read)));
    },
    list: (path) => settle(path, reader.list(path)),
    listIfPresent: (path) => {
      const names = reader.list(path);
      if (!names.ok && isAbsent(names)) return [];
      return settle(path, names) ?? [];
    },
    hasNone: (path) => {
      const names = reader.list(path);
      return !names.ok && isAbsent(names);
    },
    link: (path) => {
      const target = reader.link(path);
      return target.ok ? target.value : undefined;
    },
    dump: (name, decode, inodes) => {
      const answer = reader.dump(name, inodes);
      const got = settle(name, answer);
      return answer.ok ? settle(name, decode(got)) : undefined;
    },
    dumpIfPresent: (name, decode) => {
      const answer = reader.dump(name);
      return answer.ok ? settle(name, decode(answer.value)) : undefined;
    },
  };
  // One object for all series without labels of their own: hundreds in each of what may be a thousand namespaces.
  const onlyNetns: Labels = { netns };
  let last: { readonly labels: Labels; readonly named: Labels } | undefined;
  const inNetns = (metric: Metric, labels: Labels): Labels => {
    if (metric.labels.length === 0) return onlyNetns;
    // And one for those of one thing that a collector gives one object for.
    if (last?.labels !== labels) last = { labels, named: { ...labels, netns } };
    return last.named;
  };
  const emit: Emit = (metric, labels, amount) => {
    if (typeof amount === 'number' ? !Number.isFinite(amount) : !amount.every(Number.isFinite)) {
      gap(metric.source, `${metric.name} is not a finite number`);
      return;
    }
    seen.emitted += 1;
    const taken = snapshot.add(
      metric,
      metric.perNetns && netns !== OWN_NETNS ? inNetns(metric, labels) : labels,
      amount,
      reader.lastReadAt,
    );
    if (!taken) throw new Full();
  };
  try {
    collector.collect(host, emit);
  } catch (error) {
    if (error instanceof Full) gap(collector.id, 'more series than are taken into memory');
    else
      gap(collector.id, `bug in collector ${collector.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const status = statusOf(gaps.length, seen.emitted > 0 || seen.answered, seen.notApplicable);
  const report = { id: collector.id, netns, status, gaps, milliseconds: monotonicMs() - started } as const;
  snapshot.collectors.push(report);
  return report;
}

/** Ends a collector: whatever it has yet to say would not be taken in. */
class Full extends Error {}

/** @param told series, or an answer that was empty */
function statusOf(gaps: number, told: boolean, notApplicable: boolean): CollectorState {
  if (gaps === 0) return 'ok';
  if (told) return notApplicable ? 'ok' : 'partial';
  return notApplicable ? 'not-applicable' : 'unavailable';
}
