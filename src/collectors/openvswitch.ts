import { ok, type Result } from '../base/result.ts';
import { switchHits, switchLost, switchMissed } from '../metrics/catalogue/index.ts';
import { asCount, asList, asText, decode } from '../readings/decode.ts';
import { defineCollector } from './collector.ts';
import { utf8Text, wholeLines } from './cursor.ts';

/** What one datapath of Open vSwitch counted of the packets that it looked up. */
export interface DatapathRow {
  readonly datapath: string;
  readonly hit: number;
  readonly missed: number;
  readonly lost: number;
}

const DUMP = 'openvswitch';
const modulesFile = '/proc/modules';

export const openvswitch = defineCollector({
  id: 'openvswitch',
  turn: 84,
  scope: 'host',
  reads: [DUMP, modulesFile],
  collect(host, emit) {
    const rows = host.dumpIfPresent(DUMP, decodeDatapaths);
    for (const { datapath, hit, missed, lost } of rows ?? []) {
      emit(switchHits, { datapath }, hit);
      emit(switchMissed, { datapath }, missed);
      emit(switchLost, { datapath }, lost);
    }
    if (rows !== undefined && rows.length > 0) return;
    const used = rows !== undefined || host.parseIfPresent(modulesFile, namesOpenvswitch) === true;
    if (used)
      host.gap(DUMP, 'what its datapaths count is read from the output of ovs-appctl dpctl/show, in copies only');
    else host.notApplicable(modulesFile, 'Open vSwitch is not loaded in this kernel');
  },
});

/** Whether /proc/modules has it, as a module or among those that use another. */
function namesOpenvswitch(bytes: Uint8Array): Result<boolean> {
  const whole = wholeLines(bytes);
  return whole.ok ? ok(/(?:^|[ ,])openvswitch[ ,]/m.test(utf8Text(bytes))) : whole;
}

function decodeDatapaths(answer: unknown): Result<readonly DatapathRow[]> {
  return decode(() =>
    asList(answer, (row) => ({
      datapath: asText(row['datapath']),
      hit: asCount(row['hit']),
      missed: asCount(row['missed']),
      lost: asCount(row['lost']),
    })),
  );
}
