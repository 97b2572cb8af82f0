import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadLibbpf } from '../../src/probe/libbpf.ts';
import { KernelNames, nameIn } from '../../src/probe/names.ts';
import { findObjects } from '../../src/probe/objects.ts';
import { nameAddresses } from '../../src/probe/symbols.ts';
import { whyNoLab } from './lab.ts';

describe('names as the kernel writes them', () => {
  const said = (text: string): string | undefined => nameIn(Buffer.concat([Buffer.from(text), Buffer.alloc(96)]), 0);

  it('are the function alone, and none where there is none', () => {
    assert.equal(said('ip_rcv'), 'ip_rcv');
    assert.equal(said('ip_error.part.0'), 'ip_error');
    assert.equal(said('veth_xmit [veth]'), 'veth_xmit');
    assert.equal(said('0xffffffff80000000'), undefined);
    assert.equal(said(''), undefined);
  });
});

describe('the kernel asked for names', { skip: whyNoLab() }, () => {
  it('answers what its file says', async () => {
    const [bpf, objects] = [loadLibbpf(), findObjects()];
    assert.ok(bpf.ok && objects.ok);
    const names = await KernelNames.open(bpf.value, objects.value);
    assert.ok(names.ok, JSON.stringify(names));
    try {
      const file = readFileSync('/proc/kallsyms');
      const addresses = file
        .toString('latin1')
        .split('\n')
        .filter((line, index) => index % 97 === 0 && /^[0-9a-f]{16} [tT] /.test(line))
        .map((line) => Number(BigInt.asIntN(64, BigInt(`0x${line.slice(0, 16)}`))) + 1);
      const [kernel, read] = [names.value.name([...addresses, 4096]), nameAddresses(file, addresses)];
      assert.ok(kernel.ok, JSON.stringify(kernel));
      assert.equal(kernel.value.get(4096), undefined);
      const other = addresses.filter((address) => kernel.value.get(address) !== read.get(address));
      // Some functions have several names, of which either may be told.
      assert.ok(
        addresses.length > 500 && other.length < addresses.length / 50,
        `${other.length} of ${addresses.length}`,
      );
    } finally {
      names.value.close();
    }
  });
});
