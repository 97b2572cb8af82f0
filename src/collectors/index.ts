import type { Collector } from './collector.ts';
import { conntrack } from './conntrack.ts';
import { cpu } from './cpu.ts';
import { device } from './device.ts';
import { ebpf } from './ebpf.ts';
import { host } from './host.ts';
import { interrupts } from './interrupts.ts';
import { meminfo } from './meminfo.ts';
import { netdev } from './netdev.ts';
import { netstat } from './netstat.ts';
import { nodeconfig } from './nodeconfig.ts';
import { numa } from './numa.ts';
import { packet } from './packet.ts';
import { pcidevice } from './pcidevice.ts';
import { pressure } from './pressure.ts';
import { processes } from './processes.ts';
import { sockets } from './sockets.ts';
import { sockstat } from './sockstat.ts';
import { softirqs } from './softirqs.ts';
import { softnet } from './softnet.ts';
import { sysctl } from './sysctl.ts';
import { zoneinfo } from './zoneinfo.ts';

/**
 * Every collector, in the order they run: the counters that are divided by each other stand together, what describes
 * the host comes after. The owners of sockets are looked for last of all, see owners.ts.
 */
export const collectors: readonly Collector[] = [
  cpu,
  softirqs,
  softnet,
  interrupts,
  netdev,
  netstat,
  conntrack,
  sockstat,
  sockets,
  packet,
  pressure,
  processes,
  meminfo,
  numa,
  zoneinfo,
  device,
  sysctl,
  pcidevice,
  nodeconfig,
  host,
  ebpf,
];
