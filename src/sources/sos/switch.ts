import { fail, ok, type Result } from '../../base/result.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import type { DatapathRow } from '../../collectors/openvswitch.ts';
import { wholeOutputLines } from './output.ts';

/** What the commands of Open vSwitch say of losses: whole sentences, none where nothing was lost. */
type Remarks = readonly string[];

const MOST_SHOWN = 5;

const count = (digits: string | number): string => Number(digits).toLocaleString('en-US');

/** The first of them, and how many more there are. */
function some(parts: readonly string[]): string {
  const more = parts.length - MOST_SHOWN;
  return `${parts.slice(0, MOST_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export interface Datapaths {
  readonly rows: readonly DatapathRow[];
  /** Whole sentences about its ports. */
  readonly remarks: Remarks;
}

/**
 * Parses `ovs-appctl dpctl/show -s` (or `ovs-dpctl -s show`): of each datapath `lookups: hit:9 missed:8 lost:7`, where lost are
 * packets that did not get through to ovs-vswitchd, and of its ports `RX packets:9 errors:0 dropped:1`. An internal port that
 * is down drops whatever it is sent: no loss. Source: lib/dpctl.c:show_dpif.
 */
export function parseDatapathCommand(bytes: Uint8Array): Result<Datapaths> {
  const rows: DatapathRow[] = [];
  const ports: string[] = [];
  let datapath = '';
  let port: string | undefined;
  for (const line of wholeOutputLines(bytes)) {
    datapath = /^(\S{1,64}):$/.exec(line)?.[1] ?? datapath;
    const [, hit, missed, lost] = /^\s+lookups: hit:(\d{1,15}) missed:(\d{1,15}) lost:(\d{1,15})/.exec(line) ?? [];
    if (hit !== undefined) rows.push({ datapath, hit: Number(hit), missed: Number(missed), lost: Number(lost) });
    const [, name, kind = ''] = /^\s+port \d{1,9}: (\S{1,64})(?: \((\w+))?/.exec(line) ?? [];
    if (name !== undefined) port = kind === 'internal' ? undefined : name;
    const [, way, dropped] = /^\s+([RT]X) packets:\d{1,20} errors:\d{1,20} dropped:(\d{1,15})/.exec(line) ?? [];
    if (port !== undefined && Number(dropped ?? 0) > 0) ports.push(`${port} ${count(dropped ?? 0)} (${way ?? ''})`);
  }
  if (rows.length === 0) return fail('no line of lookups');
  return ok({ rows, remarks: ports.length === 0 ? [] : [`ports of Open vSwitch dropped packets: ${some(ports)}`] });
}

/** Parses `ovs-appctl coverage/show`: `NAME rate rate rate total: N`, for those that count what was dropped. */
export function parseCoverageCommand(bytes: Uint8Array): Result<Remarks> {
  const counters = [...utf8Text(bytes).matchAll(/^(\w{1,80}) .* total: (\d{1,15})$/gm)];
  if (counters.length === 0) return fail('no line of a counter');
  const lost = counters.filter(([, name = '', total]) => /drop|lost|overflow/.test(name) && Number(total) > 0);
  if (lost.length === 0) return ok([]);
  const worst = lost
    .sort((a, b) => Number(b[2]) - Number(a[2]))
    .map(([, name = '', total = '0']) => `${name} ${count(total)}`);
  return ok([`ovs-vswitchd counted since it was started: ${some(worst)}`]);
}

/** From which share of its time a polling thread has little to spare. */
const BUSY = 90;

/**
 * Parses `ovs-appctl dpif-netdev/pmd-rxq-show`: of each thread its node and core, and of each of its queues `pmd usage: 45 %`.
 * Source: lib/dpif-netdev.c:pmd_info_show_rxq.
 */
export function parsePmdCommand(bytes: Uint8Array): Result<Remarks> {
  const blocks = utf8Text(bytes).split(/^(?=pmd thread )/m);
  const busy: string[] = [];
  let threads = 0;
  for (const block of blocks) {
    const [, node, core] = /^pmd thread numa_id (\d{1,4}) core_id (\d{1,5}):/.exec(block) ?? [];
    if (node === undefined || core === undefined) continue;
    threads += 1;
    const queues = [...block.matchAll(/^ +port: \S+ .*\bpmd usage: +(\d{1,3}) %/gm)];
    const used = queues.reduce((sum, [, percent]) => sum + Number(percent), 0);
    if (used >= BUSY) busy.push(`core ${core} of node ${node} ${Math.min(100, used)}%`);
  }
  if (threads === 0) return fail('no line of a thread');
  return ok(busy.length === 0 ? [] : [`threads of Open vSwitch that poll have no time to spare: ${some(busy)}`]);
}

/** Parses `ovs-vsctl show` for what it says of ports that do not work: `error: "could not open network device eth9"`. */
export function parseVsctlCommand(bytes: Uint8Array): Result<Remarks> {
  const content = utf8Text(bytes);
  if (!/^ +Bridge /m.test(content)) return fail('no line of a bridge');
  const errors = [...content.matchAll(/^ +error: "?([^"\n]{1,160})/gm)].map(([, said = '']) => said);
  return ok(errors.length === 0 ? [] : [`Open vSwitch has ports that do not work: ${some([...new Set(errors)])}`]);
}
