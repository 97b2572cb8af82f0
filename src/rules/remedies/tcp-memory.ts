import type { Advice } from '../finding.ts';
import { keepingBefore, lastsBySysctl } from './setting.ts';

interface TcpMemory {
  readonly pressure: number | undefined;
  readonly max: number | undefined;
  readonly pageSize: number;
  readonly totalBytes: number | undefined;
}

const verify = 'cat /proc/sys/net/ipv4/tcp_mem && grep ^TCP: /proc/net/sockstat';

/** Limits doubled, as long as TCP then takes at most a quarter of the host's memory; else only the search for who holds it. */
export function relieveTcpMemory({ pressure, max, pageSize, totalBytes }: TcpMemory): Advice[] {
  const remedies: Advice[] = [
    {
      action:
        "Find the sockets that hold it, in every namespace, as the limit is the host's: r and w in skmem are bytes waiting " +
        'to be read, and to be sent or acknowledged.',
      command:
        'lsns -t net -n -o PID | while read -r p; do nsenter -t "$p" -n ss -tmnpO; done | ' +
        "grep -E 'skmem:\\((r[1-9][0-9]{5}|.*,w[1-9][0-9]{5})'",
      verify,
    },
  ];
  if (pressure !== undefined && max !== undefined) {
    const room = totalBytes === undefined ? Infinity : totalBytes / 4 / pageSize;
    if (2 * max <= room) {
      // The kernel's own proportion is min = 3/4 of pressure, max = 2 min (net/ipv4/tcp.c:tcp_init_mem).
      const wanted = `${Math.floor(pressure * 1.5)} ${pressure * 2} ${max * 2}`;
      remedies.push({
        action: `Double the limits: at most ${Math.round((2 * max * pageSize) / 2 ** 20)} MB of the host's memory for TCP.`,
        ...keepingBefore(
          'tcp-mem',
          `echo "sysctl -w net.ipv4.tcp_mem='$(cat /proc/sys/net/ipv4/tcp_mem)'"`,
          `sysctl -w net.ipv4.tcp_mem='${wanted}'`,
        ),
        ...lastsBySysctl([{ name: 'net.ipv4.tcp_mem', value: wanted }]),
        verify,
      });
    }
  }
  return remedies;
}

/** Connections whose program is gone but whose data is not yet acknowledged. */
export function reduceOrphans(): Advice[] {
  return [
    {
      action:
        'If orphans are many: connections closed with data unsent to peers that do not answer. See to whom, and shorten their retries rather than raise tcp_max_orphans.',
      command:
        'ss -Htn state fin-wait-1 state last-ack state closing | wc -l; sysctl net.ipv4.tcp_max_orphans net.ipv4.tcp_orphan_retries',
      verify: 'nstat -az TcpExtTCPAbortOnMemory',
    },
  ];
}
