/** The root queueing disciplines of a namespace over rtnetlink, with what they sent and dropped. Read only. */
import { fail, ok, type Result } from '../../base/result.ts';
import type { QdiscRow } from '../../collectors/qdisc.ts';
import { LITTLE, NETLINK_ROUTE, netlinkDump, parseAttributes, textOf, u32List, viewOf } from '../../ffi/netlink.ts';
import { dumpLinks } from '../../probe/rtnetlink.ts';

const RTM_GETQDISC = 38;
/** struct tcmsg: family, ifindex at 4, handle at 8, parent at 12. */
const TCMSG = 20;
const TC_H_ROOT = 0xffffffff;
/** include/uapi/linux/rtnetlink.h and gen_stats.h */
const TCA_KIND = 1;
const TCA_STATS2 = 7;
const TCA_STATS_BASIC = 1;
const TCA_STATS_QUEUE = 3;
const TCA_STATS_PKT64 = 8;

type Row = Omit<QdiscRow, 'device'> & { readonly ifindex: number };

/**
 * Parses one message of the dump; what is not at the root of a device, and what keeps no statistics (noqueue), is none. A root with
 * classes or queues below counts their drops as its own. Source: net/sched/sch_api.c:tc_fill_qdisc, net/core/gen_stats.c.
 */
export function parseQdisc(bytes: Uint8Array): Result<Row | undefined> {
  if (bytes.length < TCMSG) return fail('qdisc message cut short', bytes.length);
  const attributes = parseAttributes(bytes, TCMSG);
  if (!attributes.ok) return attributes;
  const view = viewOf(bytes);
  const kind = textOf(attributes.value.get(TCA_KIND));
  if (view.getUint32(12, LITTLE) !== TC_H_ROOT || kind === 'noqueue') return ok(undefined);
  const statistics = parseAttributes(attributes.value.get(TCA_STATS2) ?? new Uint8Array(), 0);
  if (!statistics.ok) return statistics;
  // struct gnet_stats_queue: qlen, backlog in bytes, drops, requeues, overlimits.
  const queue = u32List(statistics.value.get(TCA_STATS_QUEUE), 5);
  const packets = packetsOf(statistics.value);
  if (queue === undefined || packets === undefined) return ok(undefined);
  return ok({
    ifindex: view.getInt32(4, LITTLE),
    kind,
    packets,
    drops: queue[2]!,
    requeues: queue[3]!,
    queued: queue[0]!,
  });
}

/** struct gnet_stats_basic: bytes u64, packets u32; the whole count beside it since 5.5. */
function packetsOf(statistics: ReadonlyMap<number, Uint8Array>): number | undefined {
  const whole = statistics.get(TCA_STATS_PKT64);
  if (whole !== undefined && whole.length >= 8) return Number(viewOf(whole).getBigUint64(0, LITTLE));
  return u32List(statistics.get(TCA_STATS_BASIC), 3)?.[2];
}

/** Of the namespace this thread is in. */
export function qdiscs(): Result<readonly QdiscRow[]> {
  const found = netlinkDump(NETLINK_ROUTE, RTM_GETQDISC, new Uint8Array(TCMSG), parseQdisc);
  if (!found.ok) return found;
  if (found.value.length === 0) return ok([]);
  const links = dumpLinks();
  if (!links.ok) return links;
  const names = new Map(links.value.map(({ ifindex, name }) => [ifindex, name]));
  return ok(
    found.value.flatMap(({ ifindex, ...row }) => {
      const device = names.get(ifindex);
      return device === undefined ? [] : [{ device, ...row }];
    }),
  );
}
