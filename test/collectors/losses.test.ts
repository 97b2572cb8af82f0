import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { neighbours } from '../../src/collectors/neighbours.ts';
import { qdisc } from '../../src/collectors/qdisc.ts';
import { xfrm } from '../../src/collectors/xfrm.ts';
import {
  neighbourEntries,
  neighbourLimit,
  neighbourTableFull,
  neighbourUnresolved,
  qdiscDrops,
  qdiscPackets,
  xfrmErrors,
} from '../../src/metrics/catalogue/index.ts';
import { collect, valuesOf } from '../support/reader.ts';

describe('the collectors of losses that no device counts', () => {
  it('give drops and packets of each root queueing discipline', () => {
    const row = { device: 'eth0', kind: 'tbf', packets: 100, drops: 7, requeues: 1, queued: 3 };
    const snapshot = collect(qdisc, { dumps: { qdisc: [row] } });
    assert.deepEqual(valuesOf(snapshot, qdiscDrops), { 'device=eth0,kind=tbf': 7 });
    assert.deepEqual(valuesOf(snapshot, qdiscPackets), { 'device=eth0,kind=tbf': 100 });
    for (const broken of [{}, [{ ...row, drops: -1 }], [{ ...row, kind: 1 }], [null]]) {
      const none = collect(qdisc, { dumps: { qdisc: broken } });
      assert.deepEqual(valuesOf(none, qdiscDrops), {});
      assert.equal(none.collectors[0]?.status, 'unavailable');
    }
  });

  it('give the neighbour tables of the host, hexadecimal and per CPU', () => {
    const header =
      'entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls';
    const cpu = (discards: string, fulls: string): string =>
      `0000001f 00000001 00000000 00000000 00000000 00000000 00000002 00000000 00000000 00000000 00000000 ${discards} ${fulls}`;
    const snapshot = collect(neighbours, {
      files: {
        '/proc/net/stat/arp_cache': `${header}\n${cpu('00000010', '00000003')}\n${cpu('00000001', '00000000')}\n`,
        '/proc/sys/net/ipv4/neigh/default/gc_thresh3': '1024\n',
      },
    });
    assert.deepEqual(valuesOf(snapshot, neighbourEntries), { 'table=arp': 31 });
    assert.deepEqual(valuesOf(snapshot, neighbourLimit), { 'table=arp': 1024 });
    assert.deepEqual(valuesOf(snapshot, neighbourUnresolved), { 'table=arp': 17 });
    assert.deepEqual(valuesOf(snapshot, neighbourTableFull), { 'table=arp': 3 });
    assert.equal(collect(neighbours, {}).collectors[0]?.status, 'not-applicable');
  });

  it('give the errors of IPsec that there were', () => {
    const files = { '/proc/net/xfrm_stat': 'XfrmInError             \t0\nXfrmInNoStates          \t12\n' };
    assert.deepEqual(valuesOf(collect(xfrm, { files }), xfrmErrors), { 'error=XfrmInNoStates': 12 });
    assert.equal(collect(xfrm, {}).collectors[0]?.status, 'not-applicable');
  });
});
