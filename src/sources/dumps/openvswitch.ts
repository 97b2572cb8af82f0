/** What the kernel's datapaths of Open vSwitch looked up, over generic netlink, in the namespace this thread is in. Read only, no root. */
import { fail, ok, type Result } from '../../base/result.ts';
import type { DatapathRow } from '../../collectors/openvswitch.ts';
import { LITTLE, NETLINK_GENERIC, netlinkDump, parseAttributes, textOf, viewOf } from '../../ffi/netlink.ts';

/** struct genlmsghdr: command, version, two bytes to spare. */
const GENL_HEADER = 4;
/** include/uapi/linux/genetlink.h */
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
/** include/uapi/linux/openvswitch.h; struct ovs_header is the ifindex of a datapath, 0 for all. */
const FAMILY = 'ovs_datapath';
const VERSION = 2;
const OVS_DP_CMD_GET = 3;
const OVS_HEADER = 4;
const OVS_DP_ATTR_NAME = 1;
const OVS_DP_ATTR_STATS = 3;

/** Parses one message of the list of families: the number of that of datapaths. Source: net/netlink/genetlink.c:ctrl_fill_info. */
export function parseFamily(bytes: Uint8Array): Result<number | undefined> {
  const attributes = parseAttributes(bytes, GENL_HEADER);
  if (!attributes.ok) return attributes;
  const id = attributes.value.get(CTRL_ATTR_FAMILY_ID);
  const isOurs = textOf(attributes.value.get(CTRL_ATTR_FAMILY_NAME)) === FAMILY;
  return ok(isOurs && id !== undefined && id.length >= 2 ? viewOf(id).getUint16(0, LITTLE) : undefined);
}

/**
 * Parses one message of the dump of datapaths; what they count is struct ovs_dp_stats: hit, missed, lost, flows, u64 each.
 * Source: net/openvswitch/datapath.c:ovs_dp_cmd_fill_info.
 */
export function parseDatapath(bytes: Uint8Array): Result<DatapathRow> {
  const attributes = parseAttributes(bytes, GENL_HEADER + OVS_HEADER);
  if (!attributes.ok) return attributes;
  const name = textOf(attributes.value.get(OVS_DP_ATTR_NAME));
  const statistics = attributes.value.get(OVS_DP_ATTR_STATS);
  if (name === '' || statistics === undefined || statistics.length < 24) return fail('a datapath without statistics');
  const view = viewOf(statistics);
  const [hit = 0, missed = 0, lost = 0] = [0, 8, 16].map((at) => Number(view.getBigUint64(at, LITTLE)));
  // As its own commands call it, and so as copies have it.
  return ok({ datapath: `system@${name}`, hit, missed, lost });
}

/** A failure where the kernel has no such datapaths. The list of families is asked for, since asking for one by its name loads its module. */
export function datapaths(): Result<readonly DatapathRow[]> {
  const families = netlinkDump(NETLINK_GENERIC, GENL_ID_CTRL, header(CTRL_CMD_GETFAMILY, 1, 0), parseFamily);
  if (!families.ok) return families;
  const [family] = families.value;
  if (family === undefined) return fail('Open vSwitch is not loaded in this kernel');
  return netlinkDump(NETLINK_GENERIC, family, header(OVS_DP_CMD_GET, VERSION, OVS_HEADER), parseDatapath);
}

function header(command: number, version: number, more: number): Uint8Array {
  const bytes = new Uint8Array(GENL_HEADER + more);
  bytes.set([command, version]);
  return bytes;
}
