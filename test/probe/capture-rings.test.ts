import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { readCaptureRings, CaptureRingLosses } from '../../src/probe/capture-rings.ts';

const ring = (inode: number, drops: number, netns = 4026531833): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(BigInt(inode), 0);
  bytes.writeUInt32LE(netns, 8);
  bytes.writeUInt32LE(drops, 12);
  return bytes;
};
const lost = (losses: CaptureRingLosses, ...rings: Buffer[]): Record<string, number> =>
  Object.fromEntries(
    losses.since(readCaptureRings(Buffer.concat(rings))).map(({ inode, lost: each }) => [inode, each]),
  );

describe('what rings lose', () => {
  it('is counted from the first look on, of each ring once however many have it open', () => {
    const losses = new CaptureRingLosses();
    assert.deepEqual(lost(losses, ring(7, 100), ring(7, 100), ring(8, 0)), { 7: 0, 8: 0 });
    assert.deepEqual(lost(losses, ring(7, 150), ring(7, 150), ring(8, 3)), { 7: 50, 8: 3 });
  });

  it('goes on where the owner asked, which sets its count to zero', () => {
    const losses = new CaptureRingLosses();
    lost(losses, ring(7, 100));
    assert.deepEqual(lost(losses, ring(7, 20)), { 7: 20 });
    assert.deepEqual(lost(losses, ring(7, 30)), { 7: 30 });
  });

  it('is all of it where the ring came later', () => {
    const losses = new CaptureRingLosses();
    lost(losses);
    assert.deepEqual(lost(losses, ring(9, 40)), { 9: 40 });
  });

  it('takes a cut answer for what it has', () => {
    assert.deepEqual(readCaptureRings(Buffer.concat([ring(7, 1), ring(8, 2).subarray(0, 9)])), [
      { inode: '7', netns: '4026531833', drops: 1 },
    ]);
  });
});
