import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ownersData, ownersText, tapsOn } from '../../src/facts/taps.ts';
import { packetSocket, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { value } from '../../src/metrics/expression.ts';
import { packetSockets } from '../../src/report/build/packet-sockets.ts';
import { priceLimits } from '../../src/rules/tap-cost-limits.ts';
import { ownerCell, socketCell } from '../support/taps.ts';
import { windowOf } from '../support/window.ts';

describe('the holders of a socket', () => {
  const window = windowOf({
    cells: [socketCell({}), ownerCell('1001', 'tcpdump', '4243'), ownerCell('1001', 'tcpdump', '4242')],
  });

  it('are in the order of their pids wherever they are named', () => {
    const pids = [4242, 4243];
    const taps = tapsOn({
      bound: value(packetSocket).evaluate(window).points,
      unbound: [],
      everywhere: [],
      owners: value(socketOwner).evaluate(window).points,
    });
    assert.deepEqual(
      ownersData(taps).map(({ pid }) => pid),
      pids,
    );
    assert.equal(ownersText(taps), 'tcpdump (pid 4242), tcpdump (pid 4243)');
    const [tap] = packetSockets(window, priceLimits());
    assert.deepEqual(
      tap?.owners.map(({ pid }) => pid),
      pids,
    );
  });
});
