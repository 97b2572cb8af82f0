/** Which taps the packets of a device pass: told by the signals of PKT0101 and by a window alike. */
import { kernelFeature, packetHooks, packetSocket, tappedSeconds, unameInfo } from '../metrics/catalogue/index.ts';
import { earlier } from '../metrics/expression.ts';
import { netnsOf } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { Signal } from './signal.ts';
import { byPlace, deviceKey, type ByPlace } from './spans.ts';
import { hooksWithoutSocket, tapsOn, type TapHook } from './taps.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';

/**
 * Up to 6.12 one list of unbound taps serves all namespaces (net/core/dev.c:ptype_all), so that a foreign tap is paid here
 * too; 6.18 has one list for each. Which of the two the kernels in between have only their BTF says: undefined without it, as
 * where the kernel was not looked at.
 */
export function tapsArePerNetns(
  read: Readonly<Record<'perNetnsTaps' | 'kernel', Signal | undefined>>,
): boolean | undefined {
  const { perNetnsTaps, kernel } = read;
  if (perNetnsTaps !== undefined) return perNetnsTaps.value === 1;
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel?.labels['release'] ?? '') ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const version = Number(major) * 1000 + Number(minor);
  if (version >= 6018) return true;
  return version <= 6012 ? false : undefined;
}

/** The ETH_P_ALL sockets and hooks of a device. */
export interface TapsRead {
  /** Bound to it, at the end and at the beginning of the window; and unbound ones of its namespace. */
  readonly bound: readonly Signal[];
  readonly boundBefore: readonly Signal[];
  readonly unbound: readonly Signal[];
  readonly unboundBefore: readonly Signal[];
  /** Unbound ones of all namespaces. */
  readonly everywhere: readonly Signal[];
  readonly perNetns: boolean | undefined;
  /** Since when taps are there, or until when they were, that came or went in the window. */
  readonly there: Signal | undefined;
  readonly hooks: readonly Signal[];
  readonly owners: readonly Signal[];
}

export interface DeviceTaps {
  readonly taps: readonly TapHook[];
  /** Hooks that no socket explains, by the function that they call. */
  readonly loose: ReadonlyMap<string, number>;
}

/** Those that the span of the device contains: the ones that are there, or that were, where they have gone. */
export function deviceTaps(read: TapsRead): DeviceTaps {
  const none = read.bound.length + read.unbound.length === 0;
  const had = read.boundBefore.length + read.unboundBefore.length > 0;
  const ended = read.there?.labels['lasts'] === '0' || (none && had);
  const taps = tapsOn({
    bound: ended ? read.boundBefore : read.bound,
    unbound: ended ? read.unboundBefore : read.unbound,
    // Where the kernel was not asked they may be paid here: nothing is cleared of them.
    everywhere: read.perNetns === true ? [] : read.everywhere,
    owners: read.owners,
  });
  return { taps, loose: hooksWithoutSocket(read.hooks, taps) };
}

const readingsOf = once((window: Window) => {
  const feature = window.value(kernelFeature).find(({ labels }) => labels['feature'] === 'per_netns_taps');
  const sockets = window.value(packetSocket).filter(({ labels }) => labels['protocol'] === ETH_P_ALL);
  const hooks = window.value(packetHooks);
  return {
    sockets: byPlace(sockets),
    before: byPlace(earlier(packetSocket, { protocol: ETH_P_ALL }).evaluate(window).points),
    hooks: byPlace(hooks.filter(({ labels }) => labels['protocol'] === 'ALL')),
    there: byPlace(window.value(tappedSeconds)),
    // Every kernel lists its own protocols there, so that a namespace without any was not read.
    read: new Set([...hooks, ...sockets].map(({ labels }) => netnsOf(labels))),
    everywhere: sockets.filter(({ labels }) => labels['device'] === 'any'),
    perNetns: tapsArePerNetns({ perNetnsTaps: feature, kernel: window.value(unameInfo)[0] }),
  };
});

/** Whether the kernel keeps unbound taps by namespace; undefined where it was not asked. */
export function tapsPerNetns(window: Window): boolean | undefined {
  return readingsOf(window).perNetns;
}

/** Whether the taps of this namespace were looked for. */
export function tapsWereRead(window: Window, netns: string): boolean {
  return readingsOf(window).read.has(netns);
}

/** The taps of a device by the readings of a window, without their owners: a host has a million of sockets that have one. */
export function tapsOf(window: Window, netns: string, device: string): DeviceTaps {
  const of = (points: ByPlace, name: string): readonly Signal[] => points.get(deviceKey({ netns, device: name })) ?? [];
  const { sockets, before, hooks, there, everywhere, perNetns } = readingsOf(window);
  return deviceTaps({
    bound: of(sockets, device),
    boundBefore: of(before, device),
    unbound: of(sockets, 'any'),
    unboundBefore: of(before, 'any'),
    everywhere,
    perNetns,
    there: of(there, device)[0],
    hooks: [...of(hooks, device), ...of(hooks, 'any')],
    owners: [],
  });
}
