import { fail, ok, type Result } from '../../base/result.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import { wholeOutputLines } from './output.ts';
import type { Files } from './settings.ts';

const IFF: Readonly<Record<string, number>> = {
  UP: 1,
  BROADCAST: 2,
  LOOPBACK: 8,
  POINTOPOINT: 16,
  NOARP: 0x80,
  PROMISC: 0x100,
  MULTICAST: 0x1000,
};
const kinds =
  /^ {4}(vlan|bridge|bond|veth|tun|tap|vxlan|macvlan|macvtap|ipvlan|dummy|ifb|gre|gretap|geneve|team|vrf|openvswitch|wireguard|ipip|sit|vti)\b/m;

interface LinkBlock {
  readonly name: string;
  readonly block: string;
}

/**
 * Parses `ip -s -d link`: a block for each device, with its flags, kind and counters. iproute2 prints rx_missed_errors since
 * 5.13; before, its column `overrun` is another counter.
 */
export function parseIpLinkCommand(bytes: Uint8Array): Result<Files> {
  const blocks = utf8Text(bytes.subarray(0, bytes.lastIndexOf(10) + 1)).split(/^(?=\d+: )/m);
  const devices = blocks.flatMap((block): LinkBlock[] => {
    const name = /^\d+: ([^\s/:@]{1,15})(?:@[^\s:]+)?: </.exec(block)?.[1];
    return name === undefined || name === '.' || name === '..' ? [] : [{ name, block }];
  });
  if (devices.length === 0) return fail('no block of a device');
  const files: Files = new Map();
  const rows: string[] = [];
  for (const { name, block } of devices) {
    const directory = `/sys/class/net/${name}`;
    const set = (file: string, value: string): void => {
      files.set(`${directory}/${file}`, `${value}\n`);
    };
    const [, number = '0', flagNames = ''] = /^(\d{1,9}): \S+ <([^>]*)>/.exec(block) ?? [];
    const flags = flagNames.split(',').reduce((bits, word) => bits | (IFF[word] ?? 0), 0);
    set('ifindex', number);
    set('flags', `0x${flags.toString(16)}`);
    const mtu = /\bmtu (\d{1,9})\b/.exec(block)?.[1];
    if (mtu !== undefined) set('mtu', mtu);
    const state = /\bstate ([A-Z]+)\b/.exec(block)?.[1];
    if (state !== undefined) set('operstate', state.toLowerCase());
    const kind = kinds.exec(block)?.[1];
    const physical = kind === undefined && /link\/(?:ether|infiniband)/.test(block);
    if (kind !== undefined) set('uevent', `DEVTYPE=${kind}\nINTERFACE=${name}\nIFINDEX=${number}`);
    const node = physical ? `${directory}/device/uevent` : undefined;
    if (node !== undefined) files.set(node, '\n');
    const [rx, tx] = [countsOf(block, 'RX'), countsOf(block, 'TX')];
    const missed = rx.get('missed');
    if (missed !== undefined) set('statistics/rx_missed_errors', missed);
    const packets = rx.get('packets');
    if (packets !== undefined) set('statistics/rx_packets', packets);
    // A row says all or nothing: what was cut off is not zero.
    if (![rx, tx].every((counts) => ['bytes', 'packets', 'errors', 'dropped'].every((name) => counts.has(name))))
      continue;
    const columns = [rx, tx].flatMap((counts, direction) => {
      const of = (column: string): string => counts.get(column) ?? '0';
      const last = direction === 0 ? ['0', '0', of('mcast')] : [of('collsns'), of('carrier'), '0'];
      return [of('bytes'), of('packets'), of('errors'), of('dropped'), '0', ...last];
    });
    rows.push(`${name}: ${columns.join(' ')}\n`);
  }
  if (rows.length > 0) {
    files.set(
      '/proc/net/dev',
      `Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n${rows.join('')}`,
    );
  }
  return ok(files);
}

/** The columns of `RX:` or `TX:` with the numbers below them; the words of the header say which is which. */
function countsOf(block: string, direction: 'RX' | 'TX'): ReadonlyMap<string, string> {
  const found = new RegExp(`^ +${direction}: +([a-z ]+?) *\\n +((?:\\d{1,20} *)+)$`, 'm').exec(block);
  const names = found?.[1]?.split(/ +/) ?? [];
  const values = found?.[2]?.trim().split(/ +/) ?? [];
  return new Map(names.flatMap((name, index) => (values[index] === undefined ? [] : [[name, values[index]] as const])));
}

/** Parses `ethtool -S`: what the driver counts. Some print the same name for each queue (vmxnet3): such counters are added up. */
export function parseEthtoolStatistics(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const counters = new Map<string, number>();
  for (const line of wholeOutputLines(bytes)) {
    const [, name, value] = /^ +(\S.{0,79}): (\d{1,20})$/.exec(line) ?? [];
    if (name !== undefined) counters.set(name, (counters.get(name) ?? 0) + Number(value));
  }
  return counters.size === 0 ? fail('no counter') : ok(counters);
}

/** The whole lines at the beginning: a number or a name that was cut is another one. */
function wholeText(bytes: Uint8Array, most: number): string {
  return wholeOutputLines(bytes.subarray(0, most)).join('\n');
}

/**
 * Parses `ethtool -g` for the receive ring: `RX:` stands under `Pre-set maximums:` and once more under `Current hardware
 * settings:`, as `n/a` where the driver has none. Source: ethtool.c:dump_ring, netlink/rings.c.
 */
export function parseEthtoolRings(bytes: Uint8Array): Result<{ readonly frames: number; readonly most: number }> {
  const [most, frames] = [...wholeText(bytes, 8192).matchAll(/^RX:\s+(\d{1,9})$/gm)].map(([, size]) => Number(size));
  return most === undefined || frames === undefined ? fail('not two lines RX:') : ok({ frames, most });
}

/** Parses `ethtool -l` for queues that are not used: those in use and the most there can be, of combined ones or of receive queues. */
export function parseEthtoolChannels(bytes: Uint8Array): Result<{ readonly used: number; readonly most: number }> {
  const content = wholeText(bytes, 8192);
  for (const name of ['Combined', 'RX']) {
    const found = [...content.matchAll(new RegExp(`^${name}:\\s+(\\d{1,5})$`, 'gm'))].map(([, size]) => Number(size));
    const [most, used] = found;
    if (most !== undefined && used !== undefined && most > 0) return ok({ used, most });
  }
  return fail('not two lines Combined: or RX:');
}

/** Parses `ethtool -k` for whether frames are merged on reception. */
export function parseEthtoolFeatures(bytes: Uint8Array): Result<{ readonly gro: boolean }> {
  const gro = /^generic-receive-offload: (on|off)\b/m.exec(wholeText(bytes, 16_384))?.[1];
  return gro === undefined ? fail('no line generic-receive-offload:') : ok({ gro: gro === 'on' });
}

/** Parses `ethtool -i` for the driver. */
export function parseEthtoolDriver(bytes: Uint8Array): Result<string> {
  const driver = /^driver: ([\w-]{1,60})$/m.exec(wholeText(bytes, 4096))?.[1];
  return driver === undefined ? fail('no line driver:') : ok(driver);
}
