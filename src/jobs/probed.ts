/** The live host with the probe behind its reader. */
import { ok } from '../base/result.ts';
import { overlay, type Reader } from '../collectors/reader.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { ProbeLoad } from '../readings/answer.ts';
import type { HostProbe } from '../probe/host-probe.ts';
import { hasObjects } from '../probe/objects.ts';
import { openHostProbe } from '../probe/open.ts';
import { Overhead } from '../probe/overhead.ts';
import type { ProbeChoice } from '../probe/plan.ts';
import type { KernelSymbols } from '../probe/symbols.ts';
import { isProcfs, monotonicSeconds, type Roots } from '../sources/live-reader.ts';
import type { NetworkNamespace } from '../sources/netns.ts';
import { lookForTaps, tapHooks, tapHooksIn } from '../sources/tapped.ts';

export interface ProbedOptions extends ProbeChoice {
  readonly seconds: number;
  readonly roots: Roots;
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  /** Share of the host's CPU time the probe may take. */
  readonly maxOverhead: number;
  readonly stop: AbortSignal;
  /** Why there is no probe, where nobody asked for that. */
  readonly whyOff?: string;
}

/** The probe on what can be watched here; never fails, and says why where there is none. */
export function openProbe(
  options: ProbedOptions,
  reader: Reader,
  namespaces: readonly NetworkNamespace[],
  symbols: KernelSymbols,
  overhead = new Overhead(options.maxOverhead),
): Promise<HostProbe> {
  // A copied /proc says nothing about the devices that could be probed here.
  const copy = !isProcfs(options.roots.procfs);
  return openHostProbe({
    ...options,
    overhead,
    ...(copy && { probe: 'off', whyOff: `${options.roots.procfs} is not the proc file system of this host` }),
    ...lookForTaps(
      namespaces.filter(({ name }) => name !== OWN_NETNS),
      reader,
    ),
    sysfs: options.roots.deviceSysfs ?? options.roots.sysfs,
    procfs: options.roots.procfs,
    symbols,
    windowSeconds: options.seconds,
    hooks: (path) => (path === undefined ? tapHooks(reader) : tapHooksIn(path, reader)),
  });
}

/**
 * The same reader, with the probe behind its dump. What a probe that left in the window last counted is of the time when it left:
 * as of now, its packets per second would be too few.
 */
export function withProbe(reader: Reader, probe: HostProbe): Reader {
  let began: number | undefined;
  let answeredAt: number | undefined;
  return overlay(reader, {
    get lastReadAt() {
      return answeredAt;
    },
    dump: (name) => {
      answeredAt = undefined;
      if (name === 'probe_load') return ok(probe.load());
      if (name === 'profile') return probe.profile();
      if (name !== 'probe') return undefined;
      const answer = probe.answer();
      const counted = answer.ok ? answer.value.reading.monotonicNs / 1e9 : 0;
      answeredAt = began !== undefined && counted > began ? counted : monotonicSeconds();
      began ??= answeredAt;
      return answer;
    },
  });
}

/** The same reader where no probe is wanted. */
export function withoutProbe(reader: Reader): Reader {
  const load: ProbeLoad = { version: 1, objects: hasObjects(), error: null };
  return overlay(reader, { dump: (name) => (name === 'probe_load' ? ok(load) : undefined) });
}

/** What `work` gives, once `close` has ended what it needed: whatever came of it. */
export async function thenClosed<T>(work: Promise<T>, close: () => Promise<unknown>): Promise<T> {
  try {
    return await work;
  } finally {
    await close();
  }
}
