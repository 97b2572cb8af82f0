import { parsePtype } from '../collectors/packet.ts';
import type { Reader } from '../collectors/reader.ts';
import { inNamespace } from '../ffi/namespaces.ts';
import type { NetworkNamespace } from './netns.ts';

/** Which devices of one namespace an ETH_P_ALL hook listens on. */
export interface Tapped {
  /** A hook without a device sees the packets of all. */
  readonly all: boolean;
  readonly devices: ReadonlySet<string>;
}

export function tappedDevices(reader: Reader): Tapped {
  const bytes = reader.read('/proc/net/ptype');
  const hooks = bytes.ok ? parsePtype(bytes.value) : bytes;
  // Unread means that nothing can be ruled out.
  if (!hooks.ok) return { all: true, devices: new Set() };
  const taps = hooks.value.filter(({ protocol }) => protocol === 'ALL');
  return {
    all: taps.some(({ device }) => device === 'any'),
    devices: new Set(taps.map(({ device }) => device)),
  };
}

/** The namespaces that have a tap of their own: the only ones besides our own whose devices are worth a probe. */
export function withTaps(namespaces: readonly NetworkNamespace[], reader: Reader): readonly NetworkNamespace[] {
  return namespaces.filter(({ path }) => {
    const tapped = inNamespace(path, () => tappedDevices(reader));
    return tapped.ok && (tapped.value.all || tapped.value.devices.size > 0);
  });
}
