import { ebpf } from './collectors/ebpf.ts';
import { collectors } from './collectors/index.ts';
import type { Snapshot } from './metrics/snapshot.ts';
import { openProbe, withoutProbe, withProbe, type ProbedOptions } from './probed.ts';
import { withHostSettings } from './sources/host-settings.ts';
import { liveReader, type Roots } from './sources/live-reader.ts';
import { takeSample } from './sources/take-sample.ts';
import { measureWindow } from './sources/window.ts';

/** One sample of the live host, without the probe. */
export function sampleOnce(roots: Roots): Snapshot {
  return takeSample({ reader: withoutProbe(withHostSettings(liveReader(roots), roots)), collectors });
}

export interface Scrape {
  readonly snapshot: Snapshot;
  /** Why the probe did not measure, or not all of the window; null where it did. */
  readonly reason: string | null;
}

/** One sample of the live host, at the end of a window in which the probe measured. */
export async function sampleWithProbe(options: Omit<ProbedOptions, 'devices'>): Promise<Scrape> {
  const { roots, seconds, stop } = options;
  const live = withHostSettings(liveReader(roots), roots);
  const probe = await openProbe({ ...options, devices: [] }, live, []);
  const reader = withProbe(live, probe);
  // The probe counts from when it is first asked; nothing else on the page is of two readings.
  let first = true;
  const { window } = await measureWindow({
    seconds,
    stop,
    sample: () => {
      const sample = takeSample({ reader, collectors: first ? [ebpf] : collectors });
      first = false;
      return sample;
    },
    onTick: (left) => probe.watch(left),
  }).finally(() => probe.close());
  return { snapshot: window.after, reason: probe.status().reason };
}
