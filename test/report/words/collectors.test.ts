import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { collectorGroups, probeCost } from '../../../src/report/words/phrases.ts';
import { tooFewPackets } from '../../../src/facts/price.ts';
import { goldenReports } from '../cases.ts';

describe('collectors that fared the same', () => {
  const [own] = goldenReports['idle']!().collectors;
  const row = (id: string, netns: string, reason: string | null): NonNullable<typeof own> => ({
    ...own!,
    ...{
      id,
      netns,
      reason,
      status: reason === null ? 'ok' : 'unavailable',
      path: reason === null ? null : '/run/netns/blue',
    },
    gaps: reason === null ? 0 : 1,
  });
  const refused = 'operation not permitted (EPERM)';

  it('are one row where all lacked the same in the same namespaces, with how often', () => {
    const rows = ['netdev', 'netstat', 'nics', 'qdisc', 'xfrm'].flatMap((id) => [
      row(id, '', null),
      ...['blue', 'green'].map((netns) => row(id, netns, refused)),
    ]);
    const groups = collectorGroups(rows).map(({ row: { id, status }, why, netns }) => [id, status, why, netns.join()]);
    const lacking = groups.filter(([, status]) => status !== 'ok');
    assert.deepEqual(lacking, [
      ['netdev, netstat, nics and 2 more', 'unavailable', `/run/netns/blue: ${refused} (and 9 more)`, 'blue,green'],
    ]);
    assert.equal(groups.length, 6);
  });

  it('stay apart where the reason, or the namespaces, differ', () => {
    const rows = [row('netdev', 'blue', refused), row('netstat', 'green', refused), row('nics', 'blue', 'gone')];
    assert.equal(collectorGroups(rows).length, 3);
  });
});

describe('where no packet came', () => {
  it('nothing is said of what the probe took of one, and none is counted', () => {
    const { selfCost } = goldenReports['tap']!();
    assert.deepEqual(probeCost({ ...selfCost, nsPerPacket: 0, cpuShare: 0 }), []);
    assert.equal(tooFewPackets(0), 'no packet came in the window');
    assert.equal(tooFewPackets(1), 'only 1 packet in the window, too few to price one');
    assert.equal(tooFewPackets(1000), undefined);
  });
});
