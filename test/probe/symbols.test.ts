import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { KernelSymbols } from '../../src/probe/symbols.ts';

const [RCV, ERROR, NOWHERE] = [0xffffffff81a00100n, 0xffffffff81a01abcn, 0xffffffff80000000n];

describe('the symbols of the kernel', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pktcost-symbols-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('name the places of drops, and are read once however often they are asked', () => {
    const path = join(folder, 'kallsyms');
    writeFileSync(path, 'ffffffff81a00010 T tcp_v4_rcv\nffffffff81a01000 t ip_error.part.0\n');
    const symbols = new KernelSymbols(folder);
    const found = symbols.nameLocations([RCV, NOWHERE]);
    rmSync(path);
    assert.deepEqual([...found], [[RCV, 'tcp_v4_rcv']]);
    assert.deepEqual([...symbols.nameLocations([ERROR])], [[ERROR, 'ip_error']]);
  });

  it('are none where there is no file', () => {
    assert.equal(new KernelSymbols(join(folder, 'nonexistent')).nameLocations([RCV]).size, 0);
  });
});
