import { fail, ok, type Result } from '../../base/result.ts';
import {
  STALLED_BYTES,
  type InetSockets,
  type InetSocketRow,
  type PortsRow,
  type SocketOwners,
} from '../../collectors/dumps.ts';
import { wholeOutput } from './output.ts';

export interface Sockets {
  readonly inet: InetSockets;
  readonly owners: SocketOwners['owners'];
}

type Owners = SocketOwners['owners'];

/** As many as a live look names. */
const MOST_SHOWN = 20;
const MOST_PEERS = 5;

/** A row of TCP or UDP as both commands have it. */
interface SocketRow {
  readonly protocol: string;
  readonly state: string;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly socket: InetSocketRow;
  readonly peer: string;
  /** Of the socket's own memory; null where it was not told. */
  readonly drops: number | null;
  readonly receiveBuffer: number | null;
  /** Of a listener. */
  readonly limit: number | null;
}

/** What follows from the rows; each kind of socket by what a live look shows of it. */
class SocketLists {
  readonly #listeners: InetSockets['listeners'][number][] = [];
  readonly #udp: InetSockets['udp'][number][] = [];
  readonly #readers: InetSockets['slowReaders'][number][] = [];
  readonly #senders: InetSockets['stalledSenders'][number][] = [];
  readonly #dropping: InetSockets['tcpDrops'][number][] = [];
  readonly #ports = new Map<string, { readonly row: Omit<PortsRow, 'ports'>; readonly ports: Set<number> }>();
  #udpDropsUntold = false;

  add({ protocol, state, receiveQueue, sendQueue, socket, peer, drops, receiveBuffer, limit }: SocketRow): void {
    if (protocol === 'udp') {
      if (drops === null) this.#udpDropsUntold = true;
      else if (drops > 0) this.#udp.push({ ...socket, drops, receiveBuffer });
      return;
    }
    if (state === 'LISTEN') {
      this.#listeners.push({ ...socket, queue: receiveQueue, limit, drops });
      return;
    }
    if (['ESTAB', 'SYN-SENT', 'TIME-WAIT'].includes(state)) this.#take(socket, peer);
    if (state !== 'ESTAB') return;
    if (receiveQueue > 0) this.#readers.push({ ...socket, peer, unread: receiveQueue });
    if (sendQueue >= STALLED_BYTES) this.#senders.push({ ...socket, peer, unsent: sendQueue });
    if (drops !== null && drops > 0 && socket.inode > 0) this.#dropping.push({ ...socket, peer, drops });
  }

  /** A port is taken for one peer only, and connections that were accepted share theirs. */
  #take({ family, address, port }: InetSocketRow, peer: string): void {
    const key = `${address} ${peer}`;
    const found = this.#ports.get(key) ?? { row: { family, address, peer }, ports: new Set<number>() };
    this.#ports.set(key, found);
    found.ports.add(port);
  }

  all(): InetSockets {
    return {
      listeners: this.#listeners,
      udp: this.#udp,
      boundUdp: [],
      slowReaders: this.#readers.sort((a, b) => b.unread - a.unread).slice(0, MOST_SHOWN),
      stalledSenders:
        this.#readers.length === 0 ? [] : this.#senders.sort((a, b) => b.unsent - a.unsent).slice(0, MOST_SHOWN),
      tcpDrops: this.#dropping.sort((a, b) => b.drops - a.drops || a.inode - b.inode).slice(0, MOST_SHOWN),
      ports: [...this.#ports.values()]
        .map(({ row, ports }) => ({ ...row, ports: ports.size }))
        .filter(({ ports }) => ports > 1)
        .sort((a, b) => b.ports - a.ports || (a.peer < b.peer ? -1 : 1))
        .slice(0, MOST_PEERS),
      slowReadersSkipped: null,
      udpDropsUntold: this.#udpDropsUntold,
      udpQueues: null,
    };
  }
}

/**
 * Parses `ss -peaonmi`: a row for each socket, Recv-Q and Send-Q before the addresses, then the users and, on the same line
 * or the next, `ino:` and `skmem:(...,d3)`, whose d are drops and rb the receive buffer. Those of before 2014 have no `pid=`
 * before the number of the process, and no drops.
 */
export function parseSsCommand(bytes: Uint8Array): Result<Sockets> {
  const lists = new SocketLists();
  const owners: Owners[number][] = [];
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  let rows = 0;
  for (const block of whole.value.split(/\n(?!\s)/)) {
    const row = /^(tcp|udp) +([A-Z0-9-]+) +(\d{1,10}) +(\d{1,10}) +(\S+) +(\S+)/.exec(block);
    if (row === null) continue;
    rows += 1;
    const [, protocol = '', state = '', waiting, limit, local = '', peer = ''] = row;
    const socket = endpointOf(local, Number(/\bino:(\d{1,15})\b/.exec(block)?.[1] ?? 0));
    if (socket === undefined) continue;
    const memory = /\bskmem:\(([^)]{1,300})\)/.exec(block)?.[1]?.split(',') ?? [];
    lists.add({
      ...{ protocol, state, socket, peer },
      receiveQueue: Number(waiting),
      sendQueue: Number(limit),
      limit: Number(limit),
      drops: numberAfter(memory, /^d(\d{1,10})$/),
      receiveBuffer: numberAfter(memory, /^rb(\d{1,12})$/),
    });
    if (socket.inode === 0) continue;
    for (const [, comm = '', pid] of block.matchAll(/\("([^"]{1,64})",(?:pid=)?(\d{1,9}),/g)) {
      owners.push({ inode: socket.inode, pid: Number(pid), comm });
    }
  }
  return rows === 0 ? fail('no row of a socket') : ok({ inet: lists.all(), owners });
}

/** What netstat calls the states that matter here. */
const stateNames: Readonly<Record<string, string>> = {
  ESTABLISHED: 'ESTAB',
  SYN_SENT: 'SYN-SENT',
  TIME_WAIT: 'TIME-WAIT',
  LISTEN: 'LISTEN',
};

/**
 * Parses `netstat -neopa`: `tcp 0 0 0.0.0.0:80 0.0.0.0:* LISTEN 0 5001 77/web off (0.00/0/0)`, where sockets of UDP mostly have no
 * state. How long an accept queue may be and what a socket dropped it does not tell. Source: net-tools, netstat.c:tcp_do_one,
 * udp_do_one, finish_this_one.
 */
export function parseNetstatSocketsCommand(bytes: Uint8Array): Result<Sockets> {
  const lists = new SocketLists();
  const owners: Owners[number][] = [];
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  let rows = 0;
  for (const line of whole.value.split('\n')) {
    const row =
      /^(tcp|udp)6? +(\d{1,10}) +(\d{1,10}) +(\S+) +(\S+) +(?:([A-Z][A-Z0-9_]*) +)?\d{1,10} +(\d{1,15}) +(?:(\d{1,9})\/([^\s:]+)|-)/.exec(
        line,
      );
    if (row === null) continue;
    rows += 1;
    const [, protocol = '', waiting, unsent, local = '', peer = '', name = '', inode, pid, comm = ''] = row;
    const socket = endpointOf(bracketed(local), Number(inode));
    if (socket === undefined) continue;
    lists.add({
      ...{ protocol, state: stateNames[name] ?? name, socket, peer: bracketed(peer) },
      ...{ receiveQueue: Number(waiting), sendQueue: Number(unsent) },
      ...{ limit: null, drops: null, receiveBuffer: null },
    });
    // Names that it cuts, and arguments that a program shows instead of its name: ps has those.
    if (socket.inode > 0 && pid !== undefined)
      owners.push({ inode: socket.inode, pid: Number(pid), comm: comm.slice(0, COMM) });
  }
  return rows === 0 ? fail('no row of a socket') : ok({ inet: lists.all(), owners });
}

/** The kernel's TASK_COMM_LEN without the NUL. */
const COMM = 15;

/** Addresses of IPv6 as everybody else writes them: `:::80` is `[::]:80`. */
function bracketed(endpoint: string): string {
  const [, host, port] = /^(.{1,100}):(\d{1,5}|\*)$/.exec(endpoint) ?? [];
  return host?.includes(':') === true && !host.startsWith('[') ? `[${host}]:${port ?? ''}` : endpoint;
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
