import { fail, ok, type Result } from '../base/result.ts';
import { rawSocketDrops } from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { utf8Text } from './cursor.ts';

const files = [
  ['/proc/net/raw', 'inet'],
  ['/proc/net/raw6', 'inet6'],
] as const;

/** A full raw socket drops its copy without a word of the kernel's about the packet: only its own count tells. */
export const rawsockets = defineCollector({
  id: 'rawsockets',
  turn: 112,
  scope: 'netns',
  reads: files.map(([file]) => file),
  fewPerNamespace: true,
  collect(host, emit) {
    let found = false;
    for (const [file, family] of files) {
      const sockets = host.parseIfPresent(file, parseRawSockets);
      found ||= sockets !== undefined;
      for (const { protocol, inode, drops } of sockets ?? [])
        if (drops > 0) emit(rawSocketDrops, { family, protocol: `${protocol}`, inode: `${inode}` }, drops);
    }
    if (!found) host.gap('/proc/net/raw', 'neither /proc/net/raw nor /proc/net/raw6 could be read');
  },
});

export interface RawSocket {
  readonly protocol: number;
  readonly inode: number;
  readonly drops: number;
}

/**
 * Parses /proc/net/raw or raw6: a header, then one socket a line, its protocol in the place of the port.
 * Source: net/ipv4/raw.c:raw_sock_seq_show, net/ipv6/datagram.c:__ip6_dgram_sock_seq_show.
 */
export function parseRawSockets(bytes: Uint8Array): Result<readonly RawSocket[]> {
  const lines = utf8Text(bytes).split('\n');
  if (!lines[0]?.includes('drops')) return fail('no header with a column "drops"', 0);
  if (lines.at(-1) !== '') return fail('the last line is cut off', bytes.length);
  const sockets: RawSocket[] = [];
  for (const line of lines.slice(1, -1)) {
    const row =
      /^ *\d+: (?:[0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} [0-9A-F]{2} \S+ \S+ \S+ +\d+ +\d+ (\d+) \d+ \S+ (\d+) *$/.exec(
        line,
      );
    if (row === null) return fail('not a row of a raw socket', 0);
    sockets.push({ protocol: Number.parseInt(row[1]!, 16), inode: Number(row[2]), drops: Number(row[3]) });
  }
  return ok(sockets);
}
