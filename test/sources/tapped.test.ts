import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { lookForTaps, tapHooks } from '../../src/sources/tapped.ts';
import { fakeReader } from '../support/reader.ts';

const HEADER = 'Type Device      Function\n';
const readerWith = (...lines: readonly string[]): ReturnType<typeof fakeReader> =>
  fakeReader({ files: { '/proc/net/ptype': `${HEADER}${lines.map((line) => `${line}\n`).join('')}` } });

describe('taps by the hooks of a namespace', () => {
  it('counts each of two that are alike', () => {
    const hooks = tapHooks(
      readerWith(
        'ALL  eth0     tpacket_rcv',
        'ALL  eth0     tpacket_rcv',
        'ALL           packet_rcv',
        '0800          ip_rcv',
      ),
    );
    assert.deepEqual(hooks, { any: 1, devices: new Map([['eth0', 2]]) });
  });

  it('is not known where they cannot be read', () => {
    assert.equal(tapHooks(fakeReader({})), undefined);
  });

  for (const [handler, rings] of [
    ['tpacket_rcv', true],
    ['packet_rcv_fanout', true],
    ['packet_rcv', false],
    ['ip_rcv', false],
  ] as const)
    it(`${rings ? 'knows of a ring' : 'knows of none'} by ${handler}`, () => {
      assert.deepEqual(lookForTaps([], readerWith(`0800          ${handler}`)), { namespaces: [], rings });
    });
});
