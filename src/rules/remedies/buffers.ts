import type { Remedy } from '../finding.ts';
import { inNetns } from './shell.ts';

/** No buffer beyond this is proposed: it would hide the problem behind seconds of delay. */
const LARGEST_BUFFER = 64 * 2 ** 20;
/** Nor a default beyond this, which every socket of the host gets that asks for nothing. */
const LARGEST_DEFAULT = 4 * 2 ** 20;

interface TcpReceive {
  readonly netns: string;
  readonly rmem: readonly [min: number, initial: number, max: number] | undefined;
}

export function roomForSegments({ netns, rmem }: TcpReceive): Remedy[] {
  const verify = inNetns(netns, 'nstat -az TcpExtTCPRcvQDrop TcpExtRcvPruned TcpExtOfoPruned');
  const remedies: Remedy[] = [
    {
      action:
        'Find the sockets: skmem shows r (bytes held) near or above rb (the limit). A program that sets or shrinks SO_RCVBUF ' +
        'switches the automatic sizing off and is the usual reason.',
      command: inNetns(netns, "ss -tmnpO | grep -v 'skmem:(r0,'"),
      verify,
    },
  ];
  if (rmem !== undefined && rmem[2] < LARGEST_BUFFER) {
    const [min, initial, max] = rmem;
    remedies.push({
      action: 'Let automatic sizing go further, for programs that do not set SO_RCVBUF.',
      command: inNetns(netns, `sysctl -w net.ipv4.tcp_rmem='${min} ${initial} ${Math.min(LARGEST_BUFFER, 2 * max)}'`),
      verify,
    });
  }
  remedies.push({
    action:
      'See whether a memory cgroup refuses the charge: no socket limit helps then. A max counter that rises is the sign.',
    command: "grep -r '^max ' /sys/fs/cgroup --include=memory.events | grep -v ' 0$'",
    verify,
  });
  return remedies;
}

/** The socket is held by its own user: no buffer helps, its thread must let go of it sooner. */
export function freeTheSocket(netns: string): Remedy[] {
  return [
    {
      action:
        'Find the sockets with segments waiting in the backlog (bl) and give their threads CPU time: away from the CPUs that ' +
        'take the NIC interrupts, fewer and shorter system calls on one connection.',
      command: inNetns(netns, "ss -tmnpO | grep -E 'bl[1-9]'"),
      verify: inNetns(netns, 'nstat -az TcpExtTCPBacklogDrop'),
    },
  ];
}

interface UdpReceive {
  readonly netns: string;
  readonly port: string | undefined;
  readonly pid: string | undefined;
  /** As the kernel keeps it: twice what the program asked for, unless it is the default. */
  readonly buffer: number | undefined;
  readonly rmemMax: number | undefined;
  readonly rmemDefault: number | undefined;
  readonly dropsPerSecond: number;
}

/** Memory of one small datagram as it is charged: the skb and the page fragment of most drivers. */
const TRUESIZE = 2304;

/**
 * A buffer four times as large, or that holds what is now lost in a second. SO_RCVBUF is doubled by the kernel and capped
 * by rmem_max before that; a socket that never asked has rmem_default as it is (net/core/sock.c:sk_setsockopt,
 * sock_init_data). Both sysctls are the host's, whatever the namespace.
 */
export function raiseUdpBuffer(socket: UdpReceive): Remedy[] {
  const { netns, port, pid, buffer, rmemMax, rmemDefault, dropsPerSecond } = socket;
  const filter = port !== undefined && /^\d+$/.test(port) ? ` 'sport = :${port}'` : '';
  const verify = inNetns(netns, `ss -uanmp${filter} && nstat -az UdpRcvbufErrors Udp6RcvbufErrors`, pid);
  const restart = pid === undefined ? 'restart the program' : `restart pid ${pid}`;
  const request = (buffer ?? rmemDefault ?? 212992) / 2;
  const wanted = 2 ** Math.ceil(Math.log2(Math.min(LARGEST_BUFFER, Math.max(4 * request, dropsPerSecond * TRUESIZE))));
  if (buffer !== undefined && buffer === rmemDefault) {
    const allowed = rmemMax !== undefined && rmemMax >= wanted;
    return [
      {
        action: `The program asks for no buffer and has the default of ${buffer} bytes: have it ask for ${wanted} (SO_RCVBUF)${allowed ? ', which net.core.rmem_max allows' : ''}.`,
        command: allowed ? inNetns(netns, `ss -uanmp${filter}`, pid) : `sysctl -w net.core.rmem_max=${wanted}`,
        verify,
      },
      ...(buffer < LARGEST_DEFAULT
        ? [
            {
              action: `If it cannot be made to ask: raise the default and ${restart}. It is the default of every socket of the host but TCP's.`,
              command: `sysctl -w net.core.rmem_default=${Math.min(LARGEST_DEFAULT, 2 * wanted)}`,
              verify,
            },
          ]
        : []),
    ];
  }
  if (rmemMax !== undefined && rmemMax < wanted) {
    return [
      {
        action: `Raise net.core.rmem_max from ${rmemMax} to ${wanted}, have the program ask for as much (SO_RCVBUF), and ${restart}.`,
        command: `sysctl -w net.core.rmem_max=${wanted}`,
        verify,
      },
    ];
  }
  return [
    {
      action: `Have the program ask for a receive buffer of ${wanted} bytes (SO_RCVBUF) and ${restart}; net.core.rmem_max allows it.`,
      command: inNetns(netns, `ss -uanmp${filter}`, pid),
      verify,
    },
  ];
}

/** For a reader that is too slow whatever its buffer. */
export function readFaster(netns: string, pid: string | undefined): Remedy[] {
  return [
    {
      action:
        'Make the reader faster: more threads or sockets (SO_REUSEPORT), recvmmsg(), or less work for each datagram; see whether it is short of CPU.',
      command: pid === undefined ? inNetns(netns, 'ss -uanmp') : `top -H -b -n 1 -p ${pid} | head -n 20`,
      verify: inNetns(netns, 'nstat -az UdpRcvbufErrors Udp6RcvbufErrors', pid),
    },
  ];
}
