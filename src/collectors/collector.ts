import type { Labels, Metric } from '../metrics/metric.ts';
import type { Result } from '../metrics/result.ts';
import { OWN_NETNS, type CollectorReport, type CollectorStatus, type Gap, type Snapshot } from '../metrics/snapshot.ts';
import type { DumpName, Reader } from './reader.ts';

export type Errno = 'EINVAL' | 'ENODEV' | 'EOPNOTSUPP';

/** What a collector may do: ask the host, and emit series. Whatever the host refuses is noted as a gap by itself. */
export interface Host {
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
  /** The target of a symbolic link, or undefined (no gap: links are asked for where they may be). */
  link(path: string): string | undefined;
  /** A named answer of the kernel, decoded; undefined and a gap named after the dump when it failed. */
  dump<T>(name: DumpName, decode: (answer: unknown) => Result<T>, inodes?: readonly number[]): T | undefined;
  /** The same, for an answer that only improves on what the files say: no gap when it cannot be had. */
  dumpIfPresent<T>(name: DumpName, decode: (answer: unknown) => Result<T>): T | undefined;
  /** Something the collector itself found wanting. */
  gap(path: string, reason: string): void;
  /** The subject does not exist on this host (no NUMA, no PCI, module not loaded): not a gap, and said once. */
  notApplicable(path: string, reason: string): void;
}

/** A host-scope collector may name the `netns` of a series itself. `value` is a list of u32 cells, one per CPU, for metrics of width `u32-per-cpu`. */
export type Emit = <L extends string>(
  metric: Metric<L>,
  labels: { readonly [K in L]: string } & { readonly netns?: string },
  value: number | readonly number[],
) => void;

export interface Collector {
  readonly id: string;
  /** `netns`: run once in every namespace looked into; `host`: its sources are the same from everywhere. */
  readonly scope: 'host' | 'netns';
  /** The paths it reads, for the docs and `doctor`; `*` stands for each. */
  readonly reads: readonly string[];
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
  const started = performance.now();
  const gaps: Gap[] = [];
  const seen = { emitted: 0, notApplicable: false };
  const gap = (path: string, reason: string): void => {
    gaps.push({ path, reason });
  };
  const settle = <T>(path: string, result: Result<T>): T | undefined => {
    if (result.ok) return result.value;
    gap(path, result.offset === undefined ? result.reason : `${result.reason} (byte ${result.offset})`);
    return undefined;
  };
  const host: Host = {
    gap,
    notApplicable: (path, reason) => {
      seen.notApplicable = true;
      gap(path, reason);
    },
    parse: (path, parser) => {
      const bytes = settle(path, reader.read(path));
      return bytes === undefined ? undefined : settle(path, parser(bytes));
    },
    parseIfPresent: (path, parser, ...silent) => {
      const bytes = reader.read(path);
      if (!bytes.ok && (isAbsent(bytes.reason) || silent.some((errno) => bytes.reason.includes(`(${errno})`))))
        return undefined;
      const read = settle(path, bytes);
      return read === undefined ? undefined : settle(path, parser(read));
    },
    list: (path) => settle(path, reader.list(path)),
    listIfPresent: (path) => {
      const names = reader.list(path);
      if (!names.ok && isAbsent(names.reason)) return [];
      return settle(path, names) ?? [];
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
  const inNetns = (metric: Metric, labels: Labels): Labels =>
    metric.labels.length === 0 ? onlyNetns : { ...labels, netns };
  const emit: Emit = (metric, labels, amount) => {
    if (typeof amount === 'number' ? !Number.isFinite(amount) : !amount.every(Number.isFinite)) {
      gap(metric.source, `${metric.name} is not a finite number`);
      return;
    }
    seen.emitted += 1;
    snapshot.add(
      metric,
      metric.perNetns && netns !== OWN_NETNS ? inNetns(metric, labels) : labels,
      amount,
      reader.lastReadAt,
    );
  };
  try {
    collector.collect(host, emit);
  } catch (error) {
    gap(collector.id, `bug in collector ${collector.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const status = statusOf(gaps.length, seen.emitted, seen.notApplicable);
  const report = { id: collector.id, netns, status, gaps, milliseconds: performance.now() - started } as const;
  snapshot.collectors.push(report);
  return report;
}

function statusOf(gaps: number, emitted: number, notApplicable: boolean): CollectorStatus {
  if (gaps === 0) return 'ok';
  if (emitted > 0) return notApplicable ? 'ok' : 'partial';
  return notApplicable ? 'not-applicable' : 'unavailable';
}

/** ESRCH is how /proc/PID/* says that the process ended between open and read. */
function isAbsent(reason: string): boolean {
  return reason.includes('(ENOENT)') || reason.includes('(ENOTDIR)') || reason.includes('(ESRCH)');
}
