import type { FilterPlace, LinkRow, LinksAnswer, ProgramPlace } from '../../collectors/links-dump.ts';
import { LITTLE, NETLINK_ROUTE, netlinkDump, netlinkFold, parseAttributes, textOf, viewOf } from '../../ffi/netlink.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { AttachType, loadLibbpf } from '../../probe/libbpf.ts';
import { dumpFilters, dumpLinks, type Link } from '../../probe/rtnetlink.ts';

const RTM_GETRULE = 34;
const FIB_RULE_HEADER = 12;
const ruleFamilies: Readonly<Record<number, string>> = { 2: 'ip', 10: 'ip6' };

/** Devices asked for filters and programs; a namespace with more has its bridges' ports and containers' peers among them. */
const MOST_DEVICES = 256;

/** The devices of the namespace this thread is in: what they are made of, what filters and programs are on them. */
export function readLinks(): Result<LinksAnswer> {
  const all = dumpLinks();
  if (!all.ok) return all;
  const rules = dumpRoutingRules();
  const qdiscs = dumpFilteringQdiscs();
  const hooks = new Map<number, AskedPlace[]>();
  for (const { ifindex, places } of qdiscs.ok ? qdiscs.value : [])
    hooks.set(ifindex, [...(hooks.get(ifindex) ?? []), ...places]);
  const asked = new Set(all.value.slice(0, MOST_DEVICES).map(({ ifindex }) => ifindex));
  const names = new Map(all.value.map(({ ifindex, name }) => [ifindex, name]));
  const gaps = [
    ...(rules.ok ? [] : [`routing rules: ${rules.reason}`]),
    ...(qdiscs.ok ? [] : [`filters: ${qdiscs.reason}`]),
    ...(all.value.length > MOST_DEVICES
      ? [`filters of ${all.value.length - MOST_DEVICES} devices were not asked for`]
      : []),
  ];
  return ok({
    links: all.value.map((link) => ({
      device: link.name,
      ifindex: link.ifindex,
      kind: link.kind ?? '',
      master: names.get(link.master ?? 0) ?? '',
      lower: link.lowerNetns === undefined ? (names.get(link.lower ?? 0) ?? '') : '',
      ...(asked.has(link.ifindex) ? onLink(link, hooks.get(link.ifindex) ?? [], gaps) : { filters: [], programs: [] }),
    })),
    routingRules: rules.ok ? rules.value : [],
    gaps,
  });
}

const AT_NONE: FilterPlace = { side: '', qdisc: '', parent: '' };

/** With what the kernel is asked for its filters by. */
interface AskedPlace extends FilterPlace {
  readonly at: 'ingress' | 'egress' | number;
}

function onLink(link: Link, places: readonly AskedPlace[], gaps: string[]): Pick<LinkRow, 'filters' | 'programs'> {
  const filters: LinkRow['filters'][number][] = [];
  const programs: ProgramPlace[] = (link.xdp?.programs ?? []).map(({ id, mode }) => {
    return { ...AT_NONE, id, kind: 'xdp', mode };
  });
  for (const { at, ...place } of places) {
    const found = dumpFilters(link.ifindex, at);
    if (!found.ok) gaps.push(`filters of ${link.name}: ${found.reason}`);
    const counts = new Map<string, number>();
    for (const { kind, handle, bpfId, bpfName } of found.ok ? found.value : []) {
      // The hash tables of u32 are in the list as well (net/sched/cls_u32.c:u32_dump).
      if (kind === 'u32' && (handle & 0xfff) === 0) continue;
      // pktcost's own filter comes and goes with it.
      if (bpfName?.startsWith('pktcost_') === true) continue;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      if (bpfId !== undefined) programs.push({ ...place, id: bpfId, kind: 'tc', mode: '' });
    }
    for (const [kind, count] of counts) filters.push({ ...place, kind, count });
  }
  return { filters, programs: [...programs, ...tcxPrograms(link.ifindex)] };
}

/** Before 6.6 there are none, and without libbpf nobody can ask. */
function tcxPrograms(ifindex: number): ProgramPlace[] {
  const bpf = loadLibbpf();
  if (!bpf.ok) return [];
  return (['ingress', 'egress'] as const).flatMap((side) => {
    const ids = bpf.value.tcxPrograms(ifindex, side === 'ingress' ? AttachType.tcxIngress : AttachType.tcxEgress);
    return ids.ok ? ids.value.map((id) => ({ ...AT_NONE, side, id, kind: 'tcx', mode: '' })) : [];
  });
}

const RTM_GETQDISC = 38;
const TCMSG = 20;
const TCA_KIND = 1;

/** Queueing disciplines that ask filters which class or queue a packet is for, in their own lock. Source: net/sched/sch_*.c. */
const ASKING = new Set([
  'htb',
  'hfsc',
  'prio',
  'drr',
  'qfq',
  'ets',
  'multiq',
  'sfq',
  'fq_codel',
  'cake',
  'sfb',
  'choke',
  'hhf',
]);

export interface FilteringQdisc {
  readonly ifindex: number;
  readonly places: readonly AskedPlace[];
}

/**
 * Parses one message of the qdisc dump to the places that it gives filters: `ingress` has one, and answers for egress with the
 * same filters (net/sched/sch_ingress.c:ingress_tcf_block). One that the kernel has put in place by itself has no handle and no filters.
 */
export function parseFilteringQdisc(bytes: Uint8Array): Result<FilteringQdisc | undefined> {
  if (bytes.length < TCMSG) return fail('qdisc message cut short', bytes.length);
  const attributes = parseAttributes(bytes, TCMSG);
  if (!attributes.ok) return attributes;
  const kind = textOf(attributes.value.get(TCA_KIND));
  const [ifindex, handle] = [viewOf(bytes).getInt32(4, LITTLE), viewOf(bytes).getUint32(8, LITTLE)];
  const ingress = { ...AT_NONE, side: 'ingress', at: 'ingress' } as const;
  if (kind === 'ingress') return ok({ ifindex, places: [ingress] });
  if (kind === 'clsact') return ok({ ifindex, places: [ingress, { ...AT_NONE, side: 'egress', at: 'egress' }] });
  if (!ASKING.has(kind) || handle === 0) return ok(undefined);
  const parent = `${(handle >>> 16).toString(16)}:`;
  return ok({ ifindex, places: [{ side: '', qdisc: kind, parent, at: handle }] });
}

function dumpFilteringQdiscs(): Result<readonly FilteringQdisc[]> {
  return netlinkDump(NETLINK_ROUTE, RTM_GETQDISC, new Uint8Array(TCMSG), parseFilteringQdisc);
}

/** Parses one message of the rule dump to its family. Source: net/core/fib_rules.c:fib_nl_fill_rule. */
export function parseRoutingRule(bytes: Uint8Array): Result<number> {
  if (bytes.length < FIB_RULE_HEADER) return fail('routing rule cut short', bytes.length);
  return ok(bytes[0]!);
}

function dumpRoutingRules(): Result<readonly { family: string; count: number }[]> {
  const walked = netlinkFold(
    NETLINK_ROUTE,
    RTM_GETRULE,
    new Uint8Array(FIB_RULE_HEADER),
    () => new Map<number, number>(),
    (counts, bytes) => {
      const family = parseRoutingRule(bytes);
      if (!family.ok) return family;
      counts.set(family.value, (counts.get(family.value) ?? 0) + 1);
      return ok(undefined);
    },
  );
  if (!walked.ok) return walked;
  const known = [...walked.value].filter(([family]) => family in ruleFamilies);
  return ok(known.map(([family, count]) => ({ family: ruleFamilies[family]!, count })));
}
