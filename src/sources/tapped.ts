import { parsePtype, type PtypeHook } from '../collectors/packet.ts';
import type { Reader } from '../collectors/reader.ts';
import { inNamespace } from '../ffi/namespaces.ts';
import type { HookCounts } from '../probe/epochs.ts';
import type { NetworkNamespace } from './netns.ts';

/** The packet sockets' hooks of the namespace this thread is in, and the protocols'; undefined when they cannot be read. */
function hooksHere(reader: Reader): readonly PtypeHook[] | undefined {
  const bytes = reader.read('/proc/net/ptype');
  const hooks = bytes.ok ? parsePtype(bytes.value) : bytes;
  return hooks.ok ? hooks.value : undefined;
}

/** How many ETH_P_ALL hooks of the namespace this thread is in listen on each device; undefined when that cannot be read. */
export function tapHooks(reader: Reader): HookCounts | undefined {
  const hooks = hooksHere(reader);
  if (hooks === undefined) return undefined;
  const devices = new Map<string, number>();
  let any = 0;
  for (const { device, count } of hooks.filter(isTap)) {
    if (device === 'any') any += count;
    else devices.set(device, (devices.get(device) ?? 0) + count);
  }
  return { any, devices };
}

function isTap({ protocol }: PtypeHook): boolean {
  return protocol === 'ALL';
}

/** The same of another namespace; undefined also when it cannot be entered. */
export function tapHooksIn(path: string, reader: Reader): HookCounts | undefined {
  const hooks = inNamespace(path, () => tapHooks(reader));
  return hooks.ok ? hooks.value : undefined;
}

/** The functions that hand packets to a ring; a fanout group's may. Source: net/packet/af_packet.c. */
const FILL_RINGS = new Set(['tpacket_rcv', 'packet_rcv_fanout']);

export interface TapsInNamespaces {
  /** The namespaces that have a tap of their own: the only ones besides our own whose devices are worth a probe. */
  readonly namespaces: readonly NetworkNamespace[];
  /** Whether a hook there, or in our own, fills a ring. */
  readonly rings: boolean;
}

/** One look into each namespace, which is entered for it. */
export function lookForTaps(others: readonly NetworkNamespace[], reader: Reader): TapsInNamespaces {
  const fillsRing = (hooks: readonly PtypeHook[] | undefined): boolean =>
    hooks?.some(({ handler }) => FILL_RINGS.has(handler)) === true;
  let rings = fillsRing(hooksHere(reader));
  const namespaces = others.filter(({ path }) => {
    const hooks = inNamespace(path, () => hooksHere(reader));
    // One that cannot be entered cannot be probed; unread means that nothing can be ruled out.
    if (!hooks.ok) return false;
    rings ||= fillsRing(hooks.value);
    return hooks.value === undefined || hooks.value.some(isTap);
  });
  return { namespaces, rings };
}
