import { refusal } from '../../src/base/errno.ts';
import type { Collector } from '../../src/collectors/collector.ts';
import { runCollector } from '../../src/collectors/collector.ts';
import type { DumpName, Reader } from '../../src/collectors/reader.ts';
import type { Labels, Metric } from '../../src/metrics/metric.ts';
import { fail, ok, type Result } from '../../src/base/result.ts';
import { OWN_NETNS, Snapshot, labelKey } from '../../src/metrics/snapshot.ts';

/** A host in memory: path -> content; a `Result` failure stands for an errno, links are written `-> target`. */
export interface FakeHost {
  readonly files?: Readonly<Record<string, string | Uint8Array | Result<never>>>;
  readonly dumps?: Readonly<Partial<Record<DumpName, unknown>>>;
}

export const enoent = refusal('ENOENT');

export function fakeReader(host: FakeHost, at = 1): Reader {
  const files = host.files ?? {};
  return {
    lastReadAt: at,
    read(path) {
      const content = files[path];
      if (content === undefined) return enoent;
      if (typeof content === 'string') return ok(new TextEncoder().encode(content));
      return content instanceof Uint8Array ? ok(content) : content;
    },
    list(path) {
      const prefix = path.endsWith('/') ? path : `${path}/`;
      const names = new Set(
        Object.keys(files)
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length).split('/')[0]!),
      );
      return names.size === 0 ? enoent : ok([...names].sort());
    },
    link(path) {
      const content = files[path];
      return typeof content === 'string' && content.startsWith('-> ') ? ok(content.slice(3)) : enoent;
    },
    dump(name) {
      const answer = host.dumps?.[name];
      return answer === undefined ? fail('not available in this test') : ok(answer);
    },
  };
}

/** Runs one collector over a host in memory. */
export function collect(collector: Collector, host: FakeHost, netns = OWN_NETNS): Snapshot {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
  runCollector(collector, fakeReader(host), snapshot, netns);
  return snapshot;
}

/** A metric's values as `{ 'cpu=0': 1 }`. */
export function valuesOf(snapshot: Snapshot, metric: Metric): Record<string, number> {
  return Object.fromEntries(snapshot.series(metric).map((series) => [labelKey(series.labels), series.value]));
}

export function valueOf(snapshot: Snapshot, metric: Metric, labels: Labels = {}): number | undefined {
  return snapshot.get(metric, labels)?.value;
}
