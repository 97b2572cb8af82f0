import { fail, ok, type Result } from '../../base/result.ts';
import { wholeOutput } from './output.ts';
import type { InetSockets, InetSocketRow, SocketOwners } from '../../collectors/dumps.ts';

export interface Sockets {
  readonly inet: InetSockets;
  readonly owners: SocketOwners['owners'];
}

/** As many slow readers as a live look names. */
const MOST_READERS = 20;

/**
 * Parses `ss -peaonmi`: a row for each socket, Recv-Q and Send-Q before the addresses, then the users and, on the same line
 * or the next, `ino:` and `skmem:(...,d3)`, whose d are drops and rb the receive buffer.
 */
export function parseSsCommand(bytes: Uint8Array): Result<Sockets> {
  const listeners: InetSockets['listeners'][number][] = [];
  const udp: InetSockets['udp'][number][] = [];
  const readers: InetSockets['slowReaders'][number][] = [];
  const owners: SocketOwners['owners'][number][] = [];
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  let rows = 0;
  let udpDropsUntold = false;
  for (const block of whole.value.split(/\n(?!\s)/)) {
    const row = /^(tcp|udp) +([A-Z0-9-]+) +(\d{1,10}) +(\d{1,10}) +(\S+) +(\S+)/.exec(block);
    if (row === null) continue;
    rows += 1;
    const [, protocol, state, waiting, limit, local = '', peer = ''] = row;
    const socket = endpointOf(local, Number(/\bino:(\d{1,15})\b/.exec(block)?.[1] ?? 0));
    if (socket === undefined) continue;
    const memory = /\bskmem:\(([^)]{1,300})\)/.exec(block)?.[1]?.split(',') ?? [];
    const drops = numberAfter(memory, /^d(\d{1,10})$/);
    const queue = Number(waiting);
    if (protocol === 'udp' && drops === null) udpDropsUntold = true;
    if (protocol === 'tcp' && state === 'LISTEN') listeners.push({ ...socket, queue, limit: Number(limit), drops });
    else if (protocol === 'udp' && drops !== null && drops > 0) {
      udp.push({ ...socket, drops, receiveBuffer: numberAfter(memory, /^rb(\d{1,12})$/) });
    } else if (protocol === 'tcp' && state === 'ESTAB' && queue > 0) readers.push({ ...socket, peer, unread: queue });
    if (socket.inode === 0) continue;
    for (const [, comm = '', pid] of block.matchAll(/\("([^"]{1,64})",pid=(\d{1,9}),/g)) {
      owners.push({ inode: socket.inode, pid: Number(pid), comm });
    }
  }
  if (rows === 0) return fail('no row of a socket');
  const slowReaders = readers.sort((a, b) => b.unread - a.unread).slice(0, MOST_READERS);
  return ok({
    inet: {
      listeners,
      udp,
      boundUdp: [],
      slowReaders,
      stalledSenders: [],
      tcpDrops: [],
      ports: [],
      slowReadersSkipped: null,
      udpDropsUntold,
      udpQueues: null,
    },
    owners,
  });
}

function numberAfter(words: readonly string[], pattern: RegExp): number | null {
  for (const word of words) {
    const found = pattern.exec(word)?.[1];
    if (found !== undefined) return Number(found);
  }
  return null;
}

/** `127.0.0.1%lo:53`, `[::]:80`, `*:80`: the last colon parts the port. */
function endpointOf(local: string, inode: number): InetSocketRow | undefined {
  const [, host, port] = /^(.{1,100}):(\d{1,5})$/.exec(local) ?? [];
  if (host === undefined || Number(port) > 65535) return undefined;
  const address = host.replace(/%[^%]*$/, '').replace(/^\[|\]$/g, '');
  const family = address.includes(':') || address === '*' ? 'v6' : 'v4';
  return { family, address: address === '*' ? '::' : address, port: Number(port), inode };
}
