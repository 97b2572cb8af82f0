/** What the sockets of a dump are told as: rows of each, and what of all of them is counted. */
import { formatEndpoint } from '../../collectors/address.ts';
import {
  STALLED_BYTES,
  type BoundUdpRow,
  type ListenerRow,
  type PortsRow,
  type SlowReaderRow,
  type StalledSenderRow,
  type TcpDropsRow,
  type UdpSocketRow,
} from '../../collectors/dumps.ts';
import type { InetDiagMessage } from './inet-message.ts';

/** include/net/tcp_states.h */
export const TCP_ESTABLISHED = 1;
/** Places in the socket's memory, include/uapi/linux/sock_diag.h. */
const MEM_RCVBUF = 1;
const MEM_DROPS = 8;

/** The connections of a family, as one dump passes them. */
export class Connections {
  readonly slowReaders: SlowReaderRow[] = [];
  readonly stalledSenders: StalledSenderRow[] = [];
  readonly drops: TcpDropsRow[] = [];
  readonly #ports = new Map<string, { readonly row: Omit<PortsRow, 'ports'>; readonly ports: Set<number> }>();

  take(message: InetDiagMessage): void {
    this.#count(message);
    if (message.state !== TCP_ESTABLISHED) return;
    push(this.drops, tcpDropsRow(message));
    push(this.stalledSenders, stalledSenderRow(message));
    push(this.slowReaders, slowReaderRow(message));
  }

  /** Local ports by the address they are of and the peer they go to: connections that were accepted share one. */
  #count({ family, address, port, peerAddress, peerPort }: InetDiagMessage): void {
    const key = `${address} ${peerAddress} ${peerPort}`;
    let found = this.#ports.get(key);
    if (found === undefined) {
      const row = { family, address, peer: formatEndpoint(family, peerAddress, peerPort) };
      this.#ports.set(key, (found = { row, ports: new Set() }));
    }
    found.ports.add(port);
  }

  /** Peers to which more than one port is taken. */
  ports(): readonly PortsRow[] {
    return [...this.#ports.values()]
      .map(({ row, ports }) => ({ ...row, ports: ports.size }))
      .filter(({ ports }) => ports > 1);
  }
}

/** The UDP sockets of a family, as one dump passes them. */
export class UdpSockets {
  readonly dropping: UdpSocketRow[] = [];
  readonly bound: BoundUdpRow[] = [];
  #sent = 0;
  #received = 0;

  take(message: InetDiagMessage): void {
    this.#sent += message.sendQueue;
    this.#received += message.receiveQueue;
    push(this.bound, boundUdpRow(message));
    push(this.dropping, udpRow(message));
  }

  /** Bytes that wait in all of them. */
  get waiting(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received };
  }
}

function push<T>(rows: T[], row: T | undefined): void {
  if (row !== undefined) rows.push(row);
}

export function listenerRow(message: InetDiagMessage): ListenerRow {
  const { family, address, port, inode, receiveQueue, sendQueue, memory } = message;
  return { family, address, port, inode, queue: receiveQueue, limit: sendQueue, drops: memory?.[MEM_DROPS] ?? null };
}

function udpRow({ family, address, port, inode, memory }: InetDiagMessage): UdpSocketRow | undefined {
  const drops = memory?.[MEM_DROPS] ?? 0;
  if (drops === 0) return undefined;
  return { family, address, port, inode, drops, receiveBuffer: memory?.[MEM_RCVBUF] ?? null };
}

function boundUdpRow({
  family,
  address,
  port,
  inode,
  peerPort,
  receiveQueue,
}: InetDiagMessage): BoundUdpRow | undefined {
  return peerPort !== 0 || inode === 0 ? undefined : { family, address, port, inode, waiting: receiveQueue };
}

function slowReaderRow(message: InetDiagMessage): SlowReaderRow | undefined {
  const { family, address, port, inode, receiveQueue, peerAddress, peerPort } = message;
  if (receiveQueue === 0) return undefined;
  const peer = formatEndpoint(family, peerAddress, peerPort);
  return { family, address, port, inode, peer, unread: receiveQueue };
}

function tcpDropsRow(message: InetDiagMessage): TcpDropsRow | undefined {
  const { family, address, port, inode, peerAddress, peerPort, memory } = message;
  const drops = memory?.[MEM_DROPS] ?? 0;
  if (drops === 0 || inode === 0) return undefined;
  return { family, address, port, inode, peer: formatEndpoint(family, peerAddress, peerPort), drops };
}

function stalledSenderRow(message: InetDiagMessage): StalledSenderRow | undefined {
  const { family, address, port, inode, sendQueue, peerAddress, peerPort } = message;
  if (sendQueue < STALLED_BYTES) return undefined;
  return { family, address, port, inode, peer: formatEndpoint(family, peerAddress, peerPort), unsent: sendQueue };
}
