import type { Advice } from '../finding.ts';
import { shellQuote } from './shell.ts';

/** How to give a control group twice the time, by what made it. */
export function raiseQuota(cgroup: string, quota: number | undefined): Advice[] {
  const cpus = Number((2 * (quota ?? 1)).toPrecision(3));
  const id = /([0-9a-f]{12})[0-9a-f]{52}/.exec(cgroup)?.[1];
  const unit = /([^/]+\.(?:service|scope|slice))$/.exec(cgroup)?.[1];
  const verify = `grep -h throttled /sys/fs/cgroup/cpu${shellQuote(cgroup)}/cpu.stat /sys/fs/cgroup${shellQuote(cgroup)}/cpu.stat`;
  const before = quota === undefined ? undefined : Number(quota.toPrecision(3));
  const docker = (count: number): string => `docker update --cpus ${count} ${id ?? ''}`;
  const unitQuota = (count: number, lasting: string): string =>
    `systemctl set-property ${lasting}${shellQuote(unit ?? '')} CPUQuota=${Math.round(100 * count)}%`;
  const file = (count: number): string =>
    `f=/sys/fs/cgroup${shellQuote(cgroup)}/cpu.max; [ -e "$f" ] && echo "${Math.round(count * 100_000)} 100000" > "$f" || echo ${Math.round(count * 100_000)} > /sys/fs/cgroup/cpu${shellQuote(cgroup)}/cpu.cfs_quota_us`;
  const raise: Pick<Advice, 'command' | 'undo' | 'lasts'> = cgroup.includes('kubepods')
    ? { command: `crictl inspect ${id ?? 'CONTAINER'} | grep -iE '"io.kubernetes|quota'` }
    : id !== undefined
      ? { command: docker(cpus), ...(before === undefined ? {} : { undo: docker(before) }) }
      : unit !== undefined
        ? {
            command: unitQuota(cpus, '--runtime '),
            ...(before === undefined ? {} : { undo: unitQuota(before, '--runtime ') }),
            // Writes a drop-in of the unit.
            lasts: unitQuota(cpus, ''),
          }
        : { command: file(cpus), ...(before === undefined ? {} : { undo: file(before) }) };
  return [
    {
      action: cgroup.includes('kubepods')
        ? `Raise the CPU limit (resources.limits.cpu) of the pod, to ${cpus} CPUs to begin with, or take it away: requests alone keep its share.`
        : `Raise its quota${before === undefined ? '' : ` from ${before}`} to ${cpus} CPUs to begin with.`,
      ...raise,
      verify,
    },
    {
      action:
        'Threads that run at once use the quota up in a part of the period: fewer of them (GOMAXPROCS, worker counts) are stopped less.',
      command: `cat /sys/fs/cgroup/cpu${shellQuote(cgroup)}/cgroup.procs /sys/fs/cgroup${shellQuote(cgroup)}/cgroup.procs 2>/dev/null`,
      verify,
    },
  ];
}

/** For a control group whose sockets are refused memory. */
export function raiseSocketMemory(cgroup: string, version: string): Advice {
  const path = shellQuote(cgroup);
  const [folder, files] =
    version === 'v1'
      ? [
          `/sys/fs/cgroup/memory${path}`,
          'memory.kmem.tcp.limit_in_bytes memory.kmem.tcp.usage_in_bytes memory.kmem.tcp.failcnt',
        ]
      : [`/sys/fs/cgroup${path}`, 'memory.max memory.current memory.events'];
  return {
    action:
      version === 'v1'
        ? 'Raise the limit on the memory of its sockets (memory.kmem.tcp.limit_in_bytes), or have its program ask for smaller receive buffers.'
        : 'Raise the memory limit of the group (of a pod: resources.limits.memory), or have its program ask for smaller receive buffers.',
    command: `cd ${folder} && grep -H . ${files}`,
    verify: "nstat -az UdpMemErrors Udp6MemErrors; ss -uanmpO | grep -E ',d[1-9][0-9]*\\)'",
  };
}
