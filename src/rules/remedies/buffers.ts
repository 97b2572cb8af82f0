import type { Advice } from '../finding.ts';
import { setSysctl } from './setting.ts';
import { inNetns, shellQuote } from './shell.ts';

/** No buffer beyond this is proposed: it would hide the problem behind seconds of delay. */
const LARGEST_BUFFER = 64 * 2 ** 20;
/** Nor a default beyond this, which every socket of the host gets that asks for nothing. */
const LARGEST_DEFAULT = 4 * 2 ** 20;

interface TcpReceive {
  readonly netns: string;
  readonly rmem: readonly [min: number, initial: number, max: number] | undefined;
}

export function roomForSegments({ netns, rmem }: TcpReceive): Advice[] {
  const verify = inNetns(netns, 'nstat -az TcpExtTCPRcvQDrop TcpExtRcvPruned TcpExtOfoPruned');
  const remedies: Advice[] = [
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
      ...setSysctl(
        [
          {
            name: 'net.ipv4.tcp_rmem',
            value: `${min} ${initial} ${Math.min(LARGEST_BUFFER, 2 * max)}`,
            before: `${min} ${initial} ${max}`,
          },
        ],
        { netns },
      ),
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
export function freeTheSocket(netns: string): Advice[] {
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
export function raiseUdpBuffer(socket: UdpReceive): Advice[] {
  const { netns, port, pid, buffer, rmemMax, rmemDefault, dropsPerSecond } = socket;
  const filter = port !== undefined && /^\d+$/.test(port) ? ` 'sport = :${port}'` : '';
  const verify = inNetns(netns, `ss -uanmp${filter} && nstat -az UdpRcvbufErrors Udp6RcvbufErrors`, pid);
  const restart = pid === undefined ? 'restart the program' : `restart pid ${pid}`;
  const request = (buffer ?? rmemDefault ?? 212992) / 2;
  const raise = (name: string, before: number | undefined, value: number) => setSysctl([{ name, value, before }]);
  const wanted = 2 ** Math.ceil(Math.log2(Math.min(LARGEST_BUFFER, Math.max(4 * request, dropsPerSecond * TRUESIZE))));
  if (buffer !== undefined && buffer === rmemDefault) {
    const allowed = rmemMax !== undefined && rmemMax >= wanted;
    return [
      {
        action: `The program asks for no buffer and has the default of ${buffer} bytes: set SO_RCVBUF to ${wanted}${allowed ? ', which net.core.rmem_max allows' : ''}.`,
        ...(allowed
          ? { command: inNetns(netns, `ss -uanmp${filter}`, pid) }
          : raise('net.core.rmem_max', rmemMax, wanted)),
        verify,
      },
      ...(buffer < LARGEST_DEFAULT
        ? [
            {
              action: `If it cannot be made to ask: raise the default and ${restart}. It is the default of every non-TCP socket of the host.`,
              ...raise('net.core.rmem_default', rmemDefault, Math.min(LARGEST_DEFAULT, 2 * wanted)),
              verify,
            },
          ]
        : []),
    ];
  }
  if (rmemMax !== undefined && rmemMax < wanted) {
    return [
      {
        action: `Raise net.core.rmem_max from ${rmemMax} to ${wanted}, set SO_RCVBUF of the program to as much, and ${restart}.`,
        ...raise('net.core.rmem_max', rmemMax, wanted),
        verify,
      },
    ];
  }
  if (rmemMax === undefined) {
    return [
      {
        action: `Set SO_RCVBUF of the program to ${wanted} and ${restart}. See net.core.rmem_max before, and raise it if it is below ${wanted}: what it is could not be read.`,
        command: 'sysctl net.core.rmem_max',
        verify,
      },
    ];
  }
  return [
    {
      action: `Set SO_RCVBUF of the program to ${wanted} and ${restart}; net.core.rmem_max allows it.`,
      command: inNetns(netns, `ss -uanmp${filter}`, pid),
      verify,
    },
  ];
}

/** For a reader that is too slow whatever its buffer. */
export function readFaster(netns: string, pid: string | undefined): Advice[] {
  return [
    {
      action:
        'Make the reader faster: more threads or sockets (SO_REUSEPORT), recvmmsg(), or less work for each datagram; see whether it is short of CPU.',
      command: pid === undefined ? inNetns(netns, 'ss -uanmp') : `top -H -b -n 1 -p ${pid} | head -n 20`,
      verify: inNetns(netns, 'nstat -az UdpRcvbufErrors Udp6RcvbufErrors', pid),
    },
  ];
}

/** For datagrams that were refused for memory, and nobody can say by whom. */
export const memoryLimits = {
  action: 'Compare the memory of all UDP sockets with udp_mem (pages), and look for a cgroup at its limit.',
  command:
    "cat /proc/sys/net/ipv4/udp_mem; grep ^UDP: /proc/net/sockstat; grep -r '^max ' /sys/fs/cgroup --include=memory.events | grep -v ' 0$'",
  // Linux 6.18 counts these at the sockets only.
  verify: "nstat -az UdpMemErrors Udp6MemErrors; ss -uanmpO | grep -E ',d[1-9][0-9]*\\)'",
} as const satisfies Advice;

/** For datagrams that could not be sent. */
export function sendPath(netns: string, device: string | undefined): Advice {
  const named = device === undefined ? '' : ` dev ${shellQuote(device)}`;
  return {
    action:
      'See whether the device or its queue is what refuses: drops of the qdisc and of the device, state and MTU of its peer; ' +
      'then the program (SO_SNDBUF, pace of sending).',
    command: inNetns(netns, `tc -s qdisc show${named} && ip -s -d link show${named} && ss -uanmp`),
    verify: inNetns(netns, 'nstat -az UdpSndbufErrors Udp6SndbufErrors'),
  };
}
