import { ebpf } from '../collectors/ebpf.ts';
import { collectors } from '../collectors/index.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { withHostSettings } from '../sources/host-settings.ts';
import { keepingSpare } from '../base/descriptors.ts';
import { inTurns } from '../base/steps.ts';
import { withOwnDevices } from './own-devices.ts';
import { liveReader, type Roots } from '../sources/live-reader.ts';
import { KernelSymbols } from '../probe/symbols.ts';
import type { NetworkNamespace } from '../sources/netns.ts';
import { sampleInSteps, viewsOf, type Sample } from '../sources/take-sample.ts';
import { measureWindow } from '../sources/window.ts';
import { chosenNamespaces } from './measure.ts';
import { openProbe, thenClosed, withoutProbe, withProbe, type ProbedOptions } from './probed.ts';

/** One sample of the live host, without the probe; of other namespaces what the rules look at. */
export async function sampleOnce(given: Roots, netns = 'none'): Promise<Snapshot> {
  const roots = withOwnDevices(given);
  const reader = withoutProbe(withHostSettings(liveReader(roots), roots));
  return inTurns(sampleInSteps({ reader, collectors, ...(await placesOf(roots, netns)) }));
}

export interface Scrape {
  readonly snapshot: Snapshot;
  /** Why the probe did not measure, or not all of the window; null where it did. */
  readonly reason: string | null;
}

/** One sample of the live host, at the end of a window in which the probe measured. */
export async function sampleWithProbe(
  asked: Omit<ProbedOptions, 'devices'> & { readonly netns: string },
): Promise<Scrape> {
  const options = { ...asked, roots: withOwnDevices(asked.roots) };
  const { roots, seconds, stop, netns } = options;
  const live = withHostSettings(liveReader(roots), roots);
  const places = await placesOf(roots, netns);
  const probe = await keepingSpare(() =>
    openProbe({ ...options, devices: [] }, live, places.chosen, new KernelSymbols(options.roots.procfs)),
  );
  const reader = withProbe(live, probe);
  // The probe counts from when it is first asked; nothing else on the page is of two readings.
  let first = true;
  const measured = measureWindow({
    seconds,
    stop,
    sample: () => {
      const wanted = first ? { collectors: [ebpf] } : { collectors, ...places };
      first = false;
      return inTurns(sampleInSteps({ reader, ...wanted }));
    },
    onTick: (left) => probe.watch(left),
  });
  const { window } = await thenClosed(measured, () => probe.close());
  return { snapshot: window.after, reason: probe.status().reason };
}

interface Places extends Pick<Sample, 'keep' | 'namespaces'> {
  readonly chosen: readonly NetworkNamespace[];
}

async function placesOf(roots: Roots, netns: string): Promise<Places> {
  const { judgedOfOthers } = await import('./judge.ts');
  const chosen = chosenNamespaces(netns, roots);
  return { keep: judgedOfOthers, namespaces: viewsOf(chosen, roots), chosen: chosen.namespaces };
}
