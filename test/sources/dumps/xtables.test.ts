import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  hooksOfXt,
  parseXtEntries,
  parseXtInfo,
  parseXtNames,
  xtFamilies,
} from '../../../src/sources/dumps/xtables.ts';
import { cutAnywhere, garbled } from '../../support/bytes.ts';

const [ip] = xtFamilies;
assert.ok(ip);

/** Two rules in INPUT, its policy, one in FORWARD, its policy, OUTPUT's policy, one rule of a user's chain with its head, the end. */
const LENGTHS = [152, 200, 152, 152, 152, 152, 176, 152, 176];
const offsets = LENGTHS.map((_, index) => LENGTHS.slice(0, index).reduce((sum, length) => sum + length, 0));

function entries(): Uint8Array {
  const bytes = Buffer.alloc(LENGTHS.reduce((sum, length) => sum + length, 0));
  for (const [index, at] of offsets.entries()) {
    bytes.writeUInt16LE(112, at + 88);
    bytes.writeUInt16LE(LENGTHS[index]!, at + 90);
    bytes.writeBigUInt64LE(BigInt(100 - index), at + 96);
  }
  return bytes;
}

function info(): Uint8Array {
  const bytes = Buffer.alloc(84);
  const words = [
    0b01110,
    ...[0, offsets[0]!, offsets[3]!, offsets[5]!, 0],
    ...[0, offsets[2]!, offsets[4]!, offsets[5]!, 0],
    LENGTHS.length,
    1464,
  ];
  words.forEach((word, index) => bytes.writeUInt32LE(word, 32 + 4 * index));
  return bytes;
}

describe('tables of iptables-legacy', () => {
  it('are counted by built-in chain, and by what these lead to', () => {
    const [head, rules] = [parseXtInfo(info()), parseXtEntries(entries(), ip.entry)];
    assert.ok(head.ok && rules.ok);
    const told = hooksOfXt(ip, 'filter', { info: head.value, rules: rules.value });
    assert.deepEqual(
      told.chains.map(({ chain, hook, rules: own, reachable }) => ({ chain, hook, own, reachable })),
      [
        { chain: 'INPUT', hook: 'input', own: 2, reachable: 4 },
        { chain: 'FORWARD', hook: 'forward', own: 1, reachable: 3 },
      ],
    );
    assert.deepEqual(
      told.rules.map(({ chain, position, packets }) => [chain, position, packets]),
      [
        ['INPUT', 1, 100],
        ['INPUT', 2, 99],
        ['FORWARD', 1, 97],
      ],
    );
  });

  it('that are too long to copy still say how many rules they have', () => {
    const head = parseXtInfo(info());
    assert.ok(head.ok);
    const { chains } = hooksOfXt(ip, 'filter', { info: head.value, rules: null });
    assert.deepEqual(
      chains.map(({ chain, rules }) => [chain, rules]),
      [
        ['INPUT', 5],
        ['FORWARD', 5],
        ['OUTPUT', 5],
      ],
    );
  });

  it('are answered with a reason or a value wherever they are cut or damaged', () => {
    const whole = entries();
    for (const bytes of [...cutAnywhere(whole.subarray(0, 400)), ...garbled(whole)]) {
      const result = parseXtEntries(bytes, ip.entry);
      assert.ok(result.ok || result.reason.length > 0);
    }
    for (const bytes of cutAnywhere(info())) assert.ok(!parseXtInfo(bytes).ok);
  });

  it('are asked for only by names that can be one', () => {
    assert.deepEqual(parseXtNames(Buffer.from('filter\nnat\n../x\n')), { ok: true, value: ['filter', 'nat'] });
  });
});
