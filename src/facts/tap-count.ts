/** How many taps the packets of a device pass, by the readings of a window, as PKT0101 counts them. */
import { kernelFeature, packetHooks, packetSocket, tappedSeconds, unameInfo } from '../metrics/catalogue/index.ts';
import { earlier } from '../metrics/expression.ts';
import type { Labels } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { Signal } from './signal.ts';
import { hooksWithoutSocket, tapsOn } from './taps.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';

/**
 * Up to 6.12 one list of unbound taps serves all namespaces (net/core/dev.c:ptype_all), so that a foreign tap is paid here
 * too; 6.18 has one list for each. Without BTF to ask, the kernels in between count as the old ones.
 */
export function tapsArePerNetns(read: Readonly<Record<'perNetnsTaps' | 'kernel', Signal | undefined>>): boolean {
  const { perNetnsTaps, kernel } = read;
  if (perNetnsTaps !== undefined) return perNetnsTaps.value === 1;
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(kernel?.labels['release'] ?? '') ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 18);
}

const readingsOf = once((window: Window) => {
  const sockets = window.value(packetSocket).filter(({ labels }) => labels['protocol'] === ETH_P_ALL);
  return {
    sockets,
    before: earlier(packetSocket, { protocol: ETH_P_ALL }).evaluate(window).points,
    hooks: window.value(packetHooks).filter(({ labels }) => labels['protocol'] === 'ALL'),
    everywhere: onePerHost(window) ? sockets.filter(({ labels }) => labels['device'] === 'any') : [],
  };
});

/** Those that the span of the device contains: the ones that are there, or that were, where they have gone. */
export function tapCount(window: Window, netns: string, device: string): number {
  const of = (points: readonly Signal[], name: string): Signal[] =>
    points.filter(({ labels }) => netnsOf(labels) === netns && labels['device'] === name);
  const { sockets, before, hooks, everywhere } = readingsOf(window);
  const there = of(window.value(tappedSeconds), device)[0];
  const none = of(sockets, device).length + of(sockets, 'any').length === 0;
  const ended = there?.labels['lasts'] === '0' || (none && of(before, device).length + of(before, 'any').length > 0);
  const seen = ended ? before : sockets;
  const taps = tapsOn({
    bound: of(seen, device),
    unbound: of(seen, 'any'),
    everywhere,
    owners: [],
  });
  return taps.length + hooksWithoutSocket([...of(hooks, device), ...of(hooks, 'any')], taps).size;
}

function onePerHost(window: Window): boolean {
  const feature = window.value(kernelFeature).find(({ labels }) => labels['feature'] === 'per_netns_taps');
  return !tapsArePerNetns({ perNetnsTaps: feature, kernel: window.value(unameInfo)[0] });
}

function netnsOf(labels: Labels): string {
  return labels['netns'] ?? OWN_NETNS;
}
