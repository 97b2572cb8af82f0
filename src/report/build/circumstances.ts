import type { CollectorStatus, HostFacts, WindowFacts } from '../../generated/report.ts';
import { bootTime, cpuNode, cpuSeconds, kernelFeature, runAsRoot, unameInfo } from '../../metrics/catalogue/index.ts';
import type { Metric } from '../../metrics/metric.ts';
import { OWN_NETNS, type CollectorReport } from '../../metrics/snapshot.ts';
import type { Window } from '../../metrics/window.ts';

/** Who the host is, from the series that were read: nothing here asks the machine the report is made on. */
export function hostFacts(window: Window): HostFacts {
  const uname = window.value(unameInfo)[0]?.labels ?? {};
  const root = window.value(runAsRoot)[0]?.value;
  const booted = window.value(bootTime)[0]?.value;
  return {
    hostname: unlessNone(uname['nodename']),
    kernel: unlessNone(uname['release']),
    kernelBuild: unlessNone(uname['version']),
    machine: unlessNone(uname['machine']),
    cpus: countOfLabel(window, cpuSeconds, 'cpu'),
    numaNodes: countOfLabel(window, cpuNode, 'node'),
    bootedAt: booted === undefined ? null : isoTime(booted),
    features: Object.fromEntries(
      window.value(kernelFeature).map(({ labels, value }) => [labels['feature'] ?? '', value !== 0]),
    ),
    asRoot: root === undefined ? null : root !== 0,
  };
}

export function windowFacts(window: Window, requestedSeconds: number, cutShort: boolean): WindowFacts {
  return {
    requestedSeconds,
    seconds: window.seconds,
    startedAt: window.before.takenAt,
    endedAt: window.after.takenAt,
    cutShort,
    samples: window.single ? 1 : 2,
  };
}

/** How much of what it reads a collector got, the worse the higher. */
const shortfall = { ok: 0, 'not-applicable': 1, partial: 2, unavailable: 3 } as const;

/** One line per collector and namespace, the worse of the two samples: a file that failed once gives no rate. */
export function collectorStatuses(window: Window): CollectorStatus[] {
  const reports = new Map<string, CollectorReport[]>();
  for (const report of window.single
    ? window.after.collectors
    : [...window.before.collectors, ...window.after.collectors]) {
    const key = `${report.netns}\u0000${report.id}`;
    const same = reports.get(key);
    if (same === undefined) reports.set(key, [report]);
    else same.push(report);
  }
  // A thousand namespaces in order are not worth seven thousand lines: of the others, only what went wrong.
  const shown = [...reports.values()].filter((both) =>
    both.some(({ netns, status }) => netns === OWN_NETNS || status === 'partial' || status === 'unavailable'),
  );
  return shown.map((both) => {
    const worst = both.reduce((a, b) => (shortfall[b.status] > shortfall[a.status] ? b : a));
    const gaps = new Map(both.flatMap((report) => report.gaps).map((gap) => [`${gap.path}\n${gap.reason}`, gap]));
    const first = worst.gaps[0] ?? [...gaps.values()][0];
    return {
      id: worst.id,
      netns: worst.netns,
      status: worst.status,
      reason: first?.reason ?? null,
      path: first?.path ?? null,
      gaps: gaps.size,
      milliseconds: both.reduce((sum, report) => sum + report.milliseconds, 0),
    };
  });
}

function countOfLabel(window: Window, metric: Metric, label: string): number | null {
  const values = new Set(window.value(metric).map(({ labels }) => labels[label]));
  return values.size === 0 ? null : values.size;
}

function unlessNone(text: string | undefined): string | null {
  return text === undefined || text === '' || text === '(none)' ? null : text;
}

/** A date beyond what Date can hold, as from a malformed file, is not known. */
export function isoTime(unixSeconds: number): string | null {
  const date = new Date(unixSeconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
