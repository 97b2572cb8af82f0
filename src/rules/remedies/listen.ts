import type { Advice } from '../finding.ts';
import { setSysctl } from './setting.ts';
import { inNetns } from './shell.ts';

interface ListenPlace {
  readonly netns: string;
  readonly port: string;
  readonly pid: string | undefined;
  readonly limit: number | undefined;
  readonly somaxconn: number | undefined;
  readonly perSecond: number;
}

/** Enough for any program that accepts at all; older kernels kept the limit in 16 bits. */
const LARGEST_BACKLOG = 65535;

/**
 * The backlog to ask for: twice the present one, or room for two seconds of the refused attempts. The accept queue and
 * the SYN queue have one limit, min(backlog, somaxconn), fixed when listen() is called (net/socket.c:__sys_listen,
 * inet_connection_sock.h:inet_csk_reqsk_queue_is_full), so tcp_max_syn_backlog is not among the remedies.
 */
export function raiseListenBacklog({ netns, port, pid, limit, somaxconn, perSecond }: ListenPlace): Advice[] {
  const now = limit ?? somaxconn ?? 128;
  const wanted = Math.min(LARGEST_BACKLOG, 2 ** Math.ceil(Math.log2(Math.max(2 * now, now + 2 * perSecond, 128))));
  const filter = /^\d+$/.test(port) ? ` 'sport = :${port}'` : '';
  const verify = inNetns(netns, `ss -ltn${filter} && nstat -az TcpExtListenOverflows TcpExtTCPReqQFullDrop`, pid);
  const restart = pid === undefined ? 'restart the program' : `restart pid ${pid}`;
  const raise = setSysctl([{ name: 'net.core.somaxconn', value: wanted, before: somaxconn }], { netns, pid });
  const remedies: Advice[] = [];
  if (limit !== undefined && somaxconn !== undefined && limit < somaxconn) {
    remedies.push({
      action:
        `Give listen() a backlog of ${wanted} in the program's own configuration (nginx: listen ... backlog=, Node: server.listen({backlog})), ` +
        `then ${restart}: the program asked for ${limit}, net.core.somaxconn of ${somaxconn} is not what limits it.`,
      command: inNetns(netns, `ss -ltnp${filter}`, pid),
      verify,
    });
    if (wanted > somaxconn) {
      remedies.push({ action: 'Let net.core.somaxconn allow it, before the restart.', ...raise, verify });
    }
  } else if (somaxconn !== undefined && wanted <= somaxconn) {
    remedies.push({
      action: `The queue may hold ${limit ?? somaxconn} connections, and net.core.somaxconn is ${somaxconn}: no longer queue helps, only accepting faster.`,
      command: inNetns(netns, `ss -ltnp${filter}`, pid),
      verify,
    });
  } else {
    remedies.push({
      action: `Raise net.core.somaxconn ${somaxconn === undefined ? '' : `from ${somaxconn} `}to ${wanted}, see that the program asks for as much, and ${restart}: the limit is taken when listen() is called.`,
      ...raise,
      verify,
    });
  }
  return remedies;
}

/** A queue of any length fills up when nobody takes from it. */
export function acceptFaster(netns: string, pid: string | undefined): Advice[] {
  if (pid === undefined) return [];
  return [
    {
      action: 'See why the process does not call accept(): out of CPU, blocked, or out of file descriptors.',
      command: `top -H -b -n 1 -p ${pid} | head -n 20; grep -E 'open files' /proc/${pid}/limits; ls /proc/${pid}/fd | wc -l`,
      verify: inNetns(netns, 'nstat -az TcpExtListenOverflows', pid),
    },
  ];
}

/** For when no listener could be named. */
export function findListener(netns: string): Advice[] {
  return [
    {
      action:
        'Find the listener: its Recv-Q (waiting connections) is near or above its Send-Q (limit) while attempts fail.',
      command: inNetns(netns, "ss -ltnpH | awk '$2 > 0'"),
      verify: inNetns(netns, 'nstat -az TcpExtListenOverflows TcpExtListenDrops'),
    },
  ];
}
