import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { worded } from '../../../src/rules/finding.ts';
import { finding, host, reportOf } from '../cases.ts';

describe('the arguments of a message', () => {
  const owners = [
    { pid: 42, comm: 'tcpdump' },
    { pid: 43, comm: 'tcpdump' },
  ];
  const [found] = reportOf({ cells: host() }, [
    finding({
      code: 'PKT0101',
      rule: 'af-packet-tap-cost',
      outcome: 'warning',
      words: 'Held by {owners} on {device}: {ns:ns}.',
      args: { owners: worded(owners, 'tcpdump (pid 42) and 1 more'), device: 'eth0', ns: 700 },
    }),
  ]).findings;

  it('are words in the summary and in args, as they were from the first version on', () => {
    assert.equal(found?.summary, 'Held by tcpdump (pid 42) and 1 more on eth0: 700 ns.');
    assert.deepEqual(found.args, { owners: 'tcpdump (pid 42) and 1 more', device: 'eth0', ns: 700 });
  });

  it('are lists and figures in data where args has a piece of a sentence', () => {
    assert.deepEqual(found?.data, { owners });
  });
});
