import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { netdev, parseNetdev } from '../../src/collectors/netdev.ts';
import {
  receiveBytes,
  receiveMulticast,
  transmitBytes,
  transmitCompressed,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf } from '../support/fixture.ts';
import { collect, valueOf } from '../support/reader.ts';

const header = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
`;
const row = '101 2 3 4 5 6 7 8 109 10 11 12 13 14 15 16';

describe('netdev collector', () => {
  it('gives each column its own name', () => {
    const snapshot = collect(netdev, { files: { '/proc/net/dev': `${header}  eth0: ${row}\n    lo: ${row}\n` } });
    const eth0 = { device: 'eth0' };
    assert.equal(valueOf(snapshot, receiveBytes, eth0), 101);
    assert.equal(valueOf(snapshot, receiveMulticast, eth0), 8);
    assert.equal(valueOf(snapshot, transmitBytes, eth0), 109);
    assert.equal(valueOf(snapshot, transmitCompressed, eth0), 16);
    assert.equal(snapshot.series(receiveBytes).length, 2);
    assert.equal(snapshot.collector('netdev')?.status, 'ok');
  });

  it('takes names with colons, numbers glued to the name, and columns of a later kernel', () => {
    const parsed = parseNetdev(bytesOf(`${header}eth0:1:${row}\n br-lan:${row} 17 18\n`));
    assert.ok(parsed.ok);
    assert.deepEqual(
      parsed.value.map(({ device, counters }) => [device, counters[0], counters.length]),
      [
        ['eth0:1', 101, 16],
        ['br-lan', 101, 16],
      ],
    );
  });

  it('keeps the size of counters near the top of 64 bits', () => {
    const parsed = parseNetdev(bytesOf(`${header}eth0: 18446744073709551615 ${row.slice(4)}\n`));
    assert.ok(parsed.ok);
    assert.equal(parsed.value[0]?.counters[0], 2 ** 64);
  });

  it('refuses a file cut inside the last number rather than report a smaller one', () => {
    for (const cut of [1, 2, 3, 20]) {
      const parsed = parseNetdev(bytesOf(`${header}  eth0: ${row}\n`.slice(0, -cut)));
      assert.ok(!parsed.ok, `cut by ${cut}`);
    }
  });

  it('says which column is not a number', () => {
    const parsed = parseNetdev(bytesOf(`${header}  eth0: 1 2 x 4 5 6 7 8 9 10 11 12 13 14 15 16\n`));
    assert.ok(!parsed.ok);
    assert.equal(parsed.reason, 'no number in column 3');
  });
});
