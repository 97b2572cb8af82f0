/** Packet sockets and their price, without a rule. */
import { ebpf } from '../collectors/ebpf.ts';
import { host } from '../collectors/host.ts';
import { netdev } from '../collectors/netdev.ts';
import { netstat } from '../collectors/netstat.ts';
import { packet } from '../collectors/packet.ts';
import type { Report } from '../generated/report.ts';
import { Window } from '../metrics/window.ts';
import { collectorStatuses } from '../report/build/circumstances.ts';
import { packetSockets } from '../report/build/packet-sockets.ts';
import type { Overrides } from '../rules/engine.ts';
import { priceLimits } from '../rules/tap-cost-limits.ts';
import { liveReader, type Roots } from '../sources/live-reader.ts';
import { takeSample, viewsOf } from '../sources/take-sample.ts';
import { chosenNamespaces, measure, requireSomewhere, type MeasureOptions } from './measure.ts';

/**
 * Before a window is spent on them.
 * @throws UsageError for a device that is in none of the namespaces looked into
 */
export function checkTapped(devices: readonly string[], netns: string, roots: Roots): void {
  if (devices.length > 0) requireSomewhere(devices, chosenNamespaces(netns, roots), roots);
}

/** The packet sockets, and where they could not be read. */
type FoundTaps = Pick<Report, 'taps' | 'collectors'>;

/** The packet sockets of the live host, from one sample and without a price. */
export function listTaps(roots: Roots, netns: string, overrides: Overrides): FoundTaps {
  const namespaces = viewsOf(chosenNamespaces(netns, roots), roots);
  // Owners are looked for by takeSample itself.
  const sample = takeSample({ reader: liveReader(roots), collectors: [packet], namespaces });
  return foundIn(new Window(sample, sample), overrides);
}

function foundIn(window: Window, overrides: Overrides): FoundTaps {
  return { taps: packetSockets(window, priceLimits(overrides)), collectors: collectorStatuses(window) };
}

/**
 * What a price rests on beside the sockets and the probe: which taps packets pass is the kernel's to say (host), how many frames were sent
 * the driver's (netdev), and of which ethertype most packets are the protocols' (netstat).
 */
export const priceCollectors = [packet, ebpf, host, netdev, netstat];

/** The packet sockets of the live host with what each takes of a packet's time, where the probe could tell, and what it says of itself. */
export async function priceTaps(
  options: MeasureOptions,
  overrides: Overrides,
): Promise<FoundTaps & Pick<Report, 'probe'>> {
  const wanted = { collectors: priceCollectors, keep: () => true };
  const { window, probe } = await measure(options, Promise.resolve(wanted));
  return { ...foundIn(window, overrides), probe };
}
