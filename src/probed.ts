/** The live host with the probe behind its reader. */
import type { Reader } from './collectors/reader.ts';
import { ok } from './metrics/result.ts';
import { OWN_NETNS } from './metrics/snapshot.ts';
import type { ProbeLoad } from './probe/answer.ts';
import { LiveProbe } from './probe/live.ts';
import { hasObjects } from './probe/objects.ts';
import type { ProbeChoice } from './probe/plan.ts';
import { isProcfs, monotonicSeconds, type Roots } from './sources/live-reader.ts';
import type { NetworkNamespace } from './sources/netns.ts';
import { tappedDevices, withTaps } from './sources/tapped.ts';

export interface ProbedOptions extends ProbeChoice {
  readonly seconds: number;
  readonly roots: Roots;
  /** Only these devices; empty for all. */
  readonly devices: readonly string[];
  /** Share of the host's CPU time the probe may take. */
  readonly maxOverhead: number;
  readonly stop: AbortSignal;
}

/** The probe on what can be watched here; never fails, and says why where there is none. */
export function openProbe(
  options: ProbedOptions,
  reader: Reader,
  namespaces: readonly NetworkNamespace[],
): Promise<LiveProbe> {
  const here = tappedDevices(reader);
  // A copied /proc says nothing about the devices that could be probed here.
  const copy = !isProcfs(options.roots.procfs);
  return LiveProbe.open({
    ...options,
    ...(copy && { probe: 'off', whyOff: `${options.roots.procfs} is not the proc file system of this host` }),
    namespaces: withTaps(
      namespaces.filter(({ name }) => name !== OWN_NETNS),
      reader,
    ),
    sysfs: options.roots.sysfs,
    procfs: options.roots.procfs,
    windowSeconds: options.seconds,
    own: here,
  });
}

/**
 * The same reader, with the probe behind its dump. What a probe that left in the window last counted is of the time when it left:
 * as of now, its packets per second would be too few.
 */
export function withProbe(reader: Reader, probe: LiveProbe): Reader {
  let began: number | undefined;
  let answeredAt: number | undefined;
  const passOn = <T>(answer: T): T => {
    answeredAt = undefined;
    return answer;
  };
  return {
    get lastReadAt() {
      return answeredAt ?? reader.lastReadAt;
    },
    read: (path) => passOn(reader.read(path)),
    list: (path) => passOn(reader.list(path)),
    link: (path) => passOn(reader.link(path)),
    dump: (name, inodes) => {
      if (name === 'probe_load') return passOn(ok(probe.load()));
      if (name !== 'probe') return passOn(reader.dump(name, inodes));
      const answer = probe.answer();
      const counted = answer.ok ? answer.value.reading.monotonicNs / 1e9 : 0;
      answeredAt = began !== undefined && counted > began ? counted : monotonicSeconds();
      began ??= answeredAt;
      return answer;
    },
  };
}

/** The same reader where no probe is wanted. */
export function withoutProbe(reader: Reader): Reader {
  const load: ProbeLoad = { version: 1, objects: hasObjects(), error: null };
  return {
    get lastReadAt() {
      return reader.lastReadAt;
    },
    read: (path) => reader.read(path),
    list: (path) => reader.list(path),
    link: (path) => reader.link(path),
    dump: (name, inodes) => (name === 'probe_load' ? ok(load) : reader.dump(name, inodes)),
  };
}
