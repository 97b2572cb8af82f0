import type { Result } from '../base/result.ts';
import { switchHits, switchLost, switchMissed } from '../metrics/catalogue/index.ts';
import { asCount, asList, asText, decode } from '../readings/decode.ts';
import { defineCollector, type Host } from './collector.ts';
import { modulesFile, parseModules } from './modules.ts';
import { parseLine, parseNumber } from './parse.ts';

/** What one datapath of Open vSwitch counted of the packets that it looked up. */
export interface DatapathRow {
  readonly datapath: string;
  readonly hit: number;
  readonly missed: number;
  readonly lost: number;
}

const DUMP = 'openvswitch';
const pidFile = '/run/openvswitch/ovs-vswitchd.pid';
/** Threads of ovs-vswitchd looked at for one that polls. */
const MOST_THREADS = 256;
const ASK = 'ovs-appctl dpctl/show -s tells';

export const openvswitch = defineCollector({
  id: 'openvswitch',
  turn: 84,
  scope: 'host',
  reads: [DUMP, modulesFile, pidFile, '/proc/*/task/*/comm'],
  collect(host, emit) {
    // Null is what was printed and not understood.
    const rows = host.dumpIfPresent(DUMP, decodeDatapaths);
    for (const { datapath, hit, missed, lost } of rows ?? []) {
      emit(switchHits, { datapath }, hit);
      emit(switchMissed, { datapath }, missed);
      emit(switchLost, { datapath }, lost);
    }
    const daemon = daemonOf(host);
    const some = rows !== undefined && rows !== null && rows.length > 0;
    if (daemon !== undefined && (!some || polls(host, daemon)))
      host.lack(
        switchLost,
        { datapath: 'netdev' },
        `ovs-vswitchd has a datapath of its own, which the kernel does not count: ${ASK}`,
      );
    if (some) return;
    if (daemon !== undefined)
      host.gap(DUMP, `what the datapath of ovs-vswitchd itself counts is not in the kernel: ${ASK}`);
    else if (rows === null) host.gap(DUMP, 'what Open vSwitch printed of its datapaths is not understood');
    else if (rows !== undefined) host.notApplicable(DUMP, 'Open vSwitch has no datapath here');
    else if (isLoaded(host)) host.gap(DUMP, `what its datapaths counted could not be read: ${ASK}`);
    else host.notApplicable(modulesFile, 'Open vSwitch is not loaded in this kernel');
  },
});

/** The process of ovs-vswitchd, which writes its number where its sockets are; of a live host only. */
function daemonOf(host: Host): number | undefined {
  const pid = host.parseIfPresent(pidFile, parseNumber, 'EACCES');
  if (pid === undefined) return undefined;
  return host.parseIfPresent(`/proc/${pid}/comm`, parseLine) === 'ovs-vswitchd' ? pid : undefined;
}

/** Whether it polls network cards itself (DPDK, AF_XDP): such threads are called `pmd-c03/id:8`. */
function polls(host: Host, pid: number): boolean {
  const threads = host.listIfPresent(`/proc/${pid}/task`).slice(0, MOST_THREADS);
  return threads.some(
    (tid) => host.parseIfPresent(`/proc/${pid}/task/${tid}/comm`, parseLine)?.startsWith('pmd') === true,
  );
}

/** As a module, or among those that use another. */
function isLoaded(host: Host): boolean {
  const modules = host.parseIfPresent(modulesFile, parseModules) ?? [];
  return modules.some(({ name, users }) => name === 'openvswitch' || users.includes('openvswitch'));
}

function decodeDatapaths(answer: unknown): Result<readonly DatapathRow[] | null> {
  return decode(() =>
    answer === null
      ? null
      : asList(answer, (row) => ({
          datapath: asText(row['datapath']),
          hit: asCount(row['hit']),
          missed: asCount(row['missed']),
          lost: asCount(row['lost']),
        })),
  );
}
