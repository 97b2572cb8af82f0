/* Made from the files of this folder by `npm run generate`: do not edit. */
import { type Collector } from './collector.ts';
import { conntrack } from './conntrack.ts';
import { cpu } from './cpu.ts';
import { device } from './device.ts';
import { drops } from './drops.ts';
import { ebpf } from './ebpf.ts';
import { host } from './host.ts';
import { interrupts } from './interrupts.ts';
import { kernellog } from './kernellog.ts';
import { links } from './links.ts';
import { meminfo } from './meminfo.ts';
import { neighbours } from './neighbours.ts';
import { netdev } from './netdev.ts';
import { netfilter } from './netfilter.ts';
import { netstat } from './netstat.ts';
import { nics } from './nics.ts';
import { nodeconfig } from './nodeconfig.ts';
import { numa } from './numa.ts';
import { openvswitch } from './openvswitch.ts';
import { packet } from './packet.ts';
import { pcidevice } from './pcidevice.ts';
import { pressure } from './pressure.ts';
import { processes } from './processes.ts';
import { profile } from './profile.ts';
import { programs } from './programs.ts';
import { qdisc } from './qdisc.ts';
import { rawsockets } from './rawsockets.ts';
import { sockets } from './sockets.ts';
import { sockstat } from './sockstat.ts';
import { softirqs } from './softirqs.ts';
import { softnet } from './softnet.ts';
import { sysctl } from './sysctl.ts';
import { xfrm } from './xfrm.ts';
import { zoneinfo } from './zoneinfo.ts';

/** Every collector, in the order they run. */
export const collectors: readonly Collector[] = [
  cpu,
  softirqs,
  softnet,
  interrupts,
  netdev,
  netstat,
  nics,
  drops,
  qdisc,
  neighbours,
  xfrm,
  conntrack,
  kernellog,
  openvswitch,
  netfilter,
  sockstat,
  sockets,
  rawsockets,
  packet,
  links,
  pressure,
  processes,
  programs,
  meminfo,
  numa,
  zoneinfo,
  device,
  sysctl,
  pcidevice,
  nodeconfig,
  host,
  ebpf,
  profile,
];
