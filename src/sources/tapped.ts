import { parsePtype } from '../collectors/packet.ts';
import type { Reader } from '../collectors/reader.ts';
import { inNamespace } from '../ffi/namespaces.ts';
import type { HookCounts } from '../probe/epochs.ts';
import type { NetworkNamespace } from './netns.ts';

/** How many ETH_P_ALL hooks of the namespace this thread is in listen on each device; undefined when that cannot be read. */
export function tapHooks(reader: Reader): HookCounts | undefined {
  const bytes = reader.read('/proc/net/ptype');
  const hooks = bytes.ok ? parsePtype(bytes.value) : bytes;
  if (!hooks.ok) return undefined;
  const devices = new Map<string, number>();
  let any = 0;
  for (const { protocol, device } of hooks.value) {
    if (protocol !== 'ALL') continue;
    if (device === 'any') any += 1;
    else devices.set(device, (devices.get(device) ?? 0) + 1);
  }
  return { any, devices };
}

/** The same of another namespace; undefined also when it cannot be entered. */
export function tapHooksIn(path: string, reader: Reader): HookCounts | undefined {
  const hooks = inNamespace(path, () => tapHooks(reader));
  return hooks.ok ? hooks.value : undefined;
}

/** The functions that hand packets to a ring; a fanout group's may. Source: net/packet/af_packet.c. */
const FILL_RINGS = new Set(['tpacket_rcv', 'packet_rcv_fanout']);

/** Whether the hooks of the own namespace or of these have a function that fills a ring. */
export function hasRings(namespaces: readonly NetworkNamespace[], reader: Reader): boolean {
  const here = (): boolean => {
    const bytes = reader.read('/proc/net/ptype');
    const hooks = bytes.ok ? parsePtype(bytes.value) : bytes;
    return hooks.ok && hooks.value.some(({ handler }) => FILL_RINGS.has(handler));
  };
  return (
    here() ||
    namespaces.some(({ path }) => {
      const there = inNamespace(path, here);
      return there.ok && there.value;
    })
  );
}

/** The namespaces that have a tap of their own: the only ones besides our own whose devices are worth a probe. */
export function withTaps(namespaces: readonly NetworkNamespace[], reader: Reader): readonly NetworkNamespace[] {
  return namespaces.filter(({ path }) => {
    const hooks = inNamespace(path, () => tapHooks(reader));
    // Unread means that nothing can be ruled out; a namespace that cannot be entered cannot be probed either.
    return hooks.ok && (hooks.value === undefined || hooks.value.any > 0 || hooks.value.devices.size > 0);
  });
}
