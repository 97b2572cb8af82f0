/** What is known about a device before anything is attached: rtnetlink, ethtool and program queries, all of them read only. */
import { askInNamespace, netnsInode } from '../ffi/namespaces.ts';
import { ok, type Result } from '../base/result.ts';
import { driverOf } from '../ffi/ethtool.ts';
import { featuresOf, type Features } from './ethtool.ts';
import { AttachType, loadLibbpf } from './libbpf.ts';
import { dumpClsact, dumpFilters, dumpLinks, type Link, type XdpOnLink } from './rtnetlink.ts';

export interface NetnsTarget {
  /** Inode of the namespace, which names it in the report. */
  readonly id: string;
  /** Something to setns() to; absent for our own. */
  readonly path?: string;
}

export interface DeviceFacts {
  readonly name: string;
  readonly ifindex: number;
  readonly netns: NetnsTarget;
  readonly driver?: string;
  readonly kind?: string;
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  readonly type: number;
  /** IFF_UP, set by the administrator. A carrier can come within the window, so operstate does not decide. */
  readonly up: boolean;
  readonly operstate: string;
  readonly mtu: number;
  /** Kind of the root queueing discipline; `noqueue` for none. */
  readonly qdisc?: string;
  readonly master?: number;
  readonly lower?: number;
  readonly upperHasXdp: boolean;
  readonly xdp?: XdpOnLink;
  /** Absent when the kernel has no TCX. */
  readonly tcxPrograms?: number;
  readonly clsact: boolean;
  readonly filters: number;
  /** Priority of the first of them: 1 is the highest there is, so another of 1 goes before ours. */
  readonly firstPriority?: number;
  readonly features?: Features;
  /** What could not be read, and why. */
  readonly gaps: readonly string[];
}

const VIRTUAL_DRIVERS: Readonly<Record<string, string>> = { loopback: 'lo' };

/** Facts about the devices of one namespace, or only the named ones. */
export function readDeviceFacts(netns: NetnsTarget, only?: readonly string[]): Result<DeviceFacts[]> {
  return askInNamespace(netns.path, () => {
    const links = dumpLinks();
    if (!links.ok) return links;
    const clsact = dumpClsact();
    const byIndex = new Map(links.value.map((link) => [link.ifindex, link]));
    return ok(
      links.value
        .filter((link) => only === undefined || only.includes(link.name))
        .map((link) => factsOf(link, netns, byIndex, clsact)),
    );
  });
}

/** Our own namespace as a target. */
export function ownNetns(): NetnsTarget {
  const inode = netnsInode();
  return { id: inode.ok ? String(inode.value) : 'unknown' };
}

function factsOf(
  link: Link,
  netns: NetnsTarget,
  links: ReadonlyMap<number, Link>,
  clsact: Result<readonly number[]>,
): DeviceFacts {
  const gaps: string[] = [];
  const note = <T>(what: string, read: Result<T>): T | undefined => {
    if (read.ok) return read.value;
    gaps.push(`${what}: ${read.reason}`);
    return undefined;
  };
  // lo and a few software devices have no ETHTOOL_GDRVINFO; their kind, or the loopback type, says it.
  const asked = link.type === 772 ? ok('loopback') : driverOf(link.name);
  const driver = asked.ok ? (VIRTUAL_DRIVERS[asked.value] ?? asked.value) : (link.kind ?? note('driver', asked));
  const features = note('offloads', featuresOf(link.name));
  const hasClsact = note('qdiscs', clsact)?.includes(link.ifindex) ?? false;
  const filters = hasClsact ? note('filters', dumpFilters(link.ifindex, 'ingress')) : [];
  const bpf = loadLibbpf();
  const tcx = bpf.ok ? bpf.value.tcxPrograms(link.ifindex, AttachType.tcxIngress) : bpf;
  const master = link.master === undefined ? undefined : links.get(link.master);
  return {
    name: link.name,
    ifindex: link.ifindex,
    netns,
    type: link.type,
    up: link.up,
    operstate: link.operstate,
    mtu: link.mtu,
    upperHasXdp: master?.xdp !== undefined,
    clsact: hasClsact,
    filters: filters?.length ?? 0,
    gaps,
    ...(filters?.length && { firstPriority: Math.min(...filters.map(({ priority }) => priority)) }),
    ...(driver !== undefined && { driver }),
    ...(link.kind !== undefined && { kind: link.kind }),
    ...(link.qdisc !== undefined && { qdisc: link.qdisc }),
    ...(link.master !== undefined && { master: link.master }),
    ...(link.lower !== undefined && link.lowerNetns === undefined && { lower: link.lower }),
    ...(link.xdp && { xdp: link.xdp }),
    ...(tcx.ok && { tcxPrograms: tcx.value.length }),
    ...(features && { features }),
  };
}
