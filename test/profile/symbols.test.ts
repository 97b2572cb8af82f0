import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { foldSamples, type NamedAddress } from '../../src/probe/profile/fold.ts';
import { addressAt } from '../../src/probe/address.ts';
import { readChain, type RawSample } from '../../src/probe/profile/layout.ts';
import { RATES, samplingRate } from '../../src/probe/profile/rate.ts';
import { functionName, nameAddresses, showsAddresses } from '../../src/probe/symbols.ts';

const kallsyms = (...lines: readonly string[]): Uint8Array => Buffer.from(lines.map((line) => `${line}\n`).join(''));
/** As layout.ts reads an address. */
const address = (hex: string): number => Number(BigInt.asIntN(64, BigInt(`0x${hex}`)));

const file = kallsyms(
  '0000000000000000 A fixed_percpu_data',
  'ffffffff81000000 T _stext',
  'ffffffff81000100 t ip_rcv.isra.0',
  'ffffffff81000180 d some_data',
  'ffffffff81000200 T ip_output',
  'ffffffffc0a00300 t nft_do_chain\t[nf_tables]',
  'ffffffffc0a00100 t nft_cmp_eval\t[nf_tables]',
  'ffffffffc0b00000 t bpf_trampoline_6442463279\t[bpf]',
);

describe('names of addresses', () => {
  it("are never arm64's marks of code and data, which modules have among their symbols", () => {
    const arm64 = kallsyms(
      'ffff800080000000 T _stext',
      'ffff80007a801000 t $x\t[veth]',
      'ffff80007a801000 t veth_xmit\t[veth]',
      'ffff80007a801040 t $x.12\t[veth]',
    );
    for (const hex of ['ffff80007a801010', 'ffff80007a801050'])
      assert.equal(nameAddresses(arm64, [address(hex)]).get(address(hex)), 'veth_xmit');
  });

  it('are the last code at or below, in the kernel and in modules, which stand in no order', () => {
    const wanted = ['ffffffff81000100', 'ffffffff810001ff', 'ffffffff81000250', 'ffffffffc0a00310', 'ffffffffc0a00120'];
    const names = nameAddresses(file, [...wanted, 'ffffffffc0b00010', 'ffffffff80000000'].map(address));
    assert.deepEqual(
      wanted.map((hex) => names.get(address(hex))),
      ['ip_rcv', 'ip_rcv', 'ip_output', 'nft_do_chain', 'nft_cmp_eval'],
    );
    assert.equal(names.get(address('ffffffffc0b00010')), 'bpf_trampoline');
    assert.equal(names.get(address('ffffffff80000000')), undefined);
    assert.equal(nameAddresses(file, [address('ffffffffe0000000')]).size, 0, 'far above the last is in none');
  });

  it('are told apart by one bit in 64', () => {
    const two = kallsyms('ffff800081000001 T first', 'ffff800081000002 T second');
    const names = nameAddresses(two, ['ffff800081000001', 'ffff800081000002'].map(address));
    assert.deepEqual([...names.values()].sort(), ['first', 'second']);
  });

  it('are the same as by looking at every line, for many of them', () => {
    const symbols = Array.from({ length: 3000 }, (_, index) => ({
      at: 0x81000000 + index * 48 + (index % 7) * 3,
      type: index % 11 === 0 ? 'd' : 't',
      name: `f${index}`,
    }));
    const lines = symbols.map(
      ({ at, type, name }) => `ffffffff${at.toString(16)} ${type} ${name}${'x'.repeat(at % 40)}`,
    );
    const wanted = Array.from({ length: 5000 }, (_, index) => 0x81000000 + index * 29);
    const names = nameAddresses(
      kallsyms('0000000000000000 A fixed_percpu_data', ...lines, 'ffffffffc0000000 t m\t[m]'),
      wanted.map((at) => address(`ffffffff${at.toString(16)}`)),
    );
    for (const at of wanted) {
      const symbol = symbols.findLast((each) => each.type === 't' && each.at <= at);
      const name = names.get(address(`ffffffff${at.toString(16)}`));
      assert.equal(name?.replace(/x+$/, ''), symbol?.name, at.toString(16));
    }
  });

  it('are none of what is no symbol table', () => {
    for (const bytes of [
      kallsyms(),
      kallsyms('', 'x', 'ffffffff81000000', 'zzzzzzzzzzzzzzzz T name'),
      Buffer.from([0, 255]),
    ]) {
      assert.equal(nameAddresses(bytes, [address('ffffffff81000100')]).size, 0);
      assert.equal(showsAddresses(bytes), false);
    }
    assert.equal(nameAddresses(file, []).size, 0);
  });

  it('are hidden when every address is zero', () => {
    assert.equal(showsAddresses(file), true);
    assert.equal(
      showsAddresses(kallsyms('0000000000000000 A a', '0000000000000000 T _stext', '0000000000000000 t b')),
      false,
    );
  });

  it('lose what the compiler put behind them', () => {
    for (const [symbol, name] of [
      ['tcp_ack.constprop.0', 'tcp_ack'],
      ['ip_rcv_core.part.0.isra.0', 'ip_rcv_core'],
      ['nft_do_chain.cold', 'nft_do_chain'],
      ['udp_recvmsg', 'udp_recvmsg'],
    ] as const)
      assert.equal(functionName(symbol), name);
  });
});

describe('raw samples', () => {
  const chainBytes = Buffer.alloc(8 + 127 * 8);
  chainBytes.writeUInt32LE(3, 0);
  chainBytes.writeBigUInt64LE(0xffffffff81000201n, 16);
  chainBytes.writeBigUInt64LE(0xffffffff81000101n, 24);

  it('have addresses that stay exact, and callers one byte before they come back', () => {
    assert.equal(addressAt(chainBytes, 16), address('ffffffff81000201'));
    assert.deepEqual(readChain(chainBytes), [address('ffffffff81000200'), address('ffffffff81000100')]);
    chainBytes.writeUInt32LE(4_000_000, 0);
    assert.equal(readChain(chainBytes).length, 126);
  });

  const names: Readonly<Record<number, string>> = {
    1: 'do_syscall_64',
    2: '__sys_sendto',
    3: 'net_rx_action',
    4: '__napi_poll',
    5: 'ip_rcv',
    6: 'ksys_read',
  };
  const nameOf = (at: number): NamedAddress | undefined => {
    const name = names[Math.floor(at / 100)];
    return name === undefined ? undefined : { name, program: null };
  };
  const sample = (chain: string, leaf: number, more: Partial<RawSample> = {}): RawSample => {
    return { chain, leaf, cpu: 0, pid: 7, slot: 0, count: 1, ...more };
  };
  const chains = new Map([
    ['receive', [400, 300, 200, 100]],
    ['socket', [100]],
    ['read', [100]],
  ]);

  it('become stacks of the packet path, the same functions together', () => {
    const { functions, stacks, unresolved } = foldSamples(
      {
        chains,
        samples: [
          sample('receive', 501),
          sample('receive', 555, { count: 4 }),
          sample('receive', 410, { slot: 3 }),
          sample('socket', 200),
          sample('read', 600),
          sample('gone', 500, { count: 2 }),
          sample('socket', 99_999),
        ],
      },
      nameOf,
    );
    const told = stacks.map(({ functions: stack, ...row }) => ({
      ...row,
      stack: stack.map((index) => functions[index]?.name).join(';'),
    }));
    assert.deepEqual(told, [
      { direction: 'receive', cpu: 0, pid: 0, device: 0, samples: 5, stack: 'net_rx_action;__napi_poll;ip_rcv' },
      // Before tc ingress it is not known whose packet it is.
      {
        direction: 'receive',
        cpu: 0,
        pid: 0,
        device: null,
        samples: 1,
        stack: 'net_rx_action;__napi_poll;__napi_poll',
      },
      { direction: 'socket', cpu: 0, pid: 7, device: null, samples: 1, stack: '__sys_sendto' },
    ]);
    assert.equal(unresolved, 3);
  });

  it('of a thousand processes keep the names of the busiest', () => {
    const samples = Array.from({ length: 1000 }, (_, index) =>
      sample('socket', 200, { pid: index + 1, count: index + 1 }),
    );
    const { stacks } = foldSamples({ chains, samples }, nameOf);
    assert.equal(stacks.filter(({ pid }) => pid !== 0).length, 64);
    assert.equal(
      stacks.reduce((sum, row) => sum + row.samples, 0),
      500_500,
    );
    assert.ok(stacks.some(({ pid }) => pid === 1000));
  });
});

describe('the sampling rate', () => {
  it('follows the window, the CPUs and the budget', () => {
    assert.equal(samplingRate(30, 2, 0.01), 485);
    assert.equal(samplingRate(5, 2, 0.01), 485);
    assert.equal(samplingRate(3, 2, 0.1), 3356);
    assert.equal(samplingRate(600, 2, 0.01), 49);
    assert.equal(samplingRate(30, 128, 0.01), 97);
    assert.equal(samplingRate(30, 2, 0.0005), 49);
    assert.equal(samplingRate(30, 2, 0.0003), undefined, 'half of it is less than 49 samples a second take');
  });

  it('meets every part of a tick as often, and at once: 499 a second would creep along one of 1 ms', () => {
    for (const rate of RATES)
      for (const tick of [1e6, 1e7 / 3, 4e6, 1e7])
        for (const samples of [50, 100, 200]) {
          const widest = widestGap(Math.round(1e9 / rate), tick, samples);
          assert.ok(widest * samples < 5, `${rate} a second beside ${tick} ns: ${widest} of it unseen`);
        }
  });
});

/** The largest part of a tick in which none of so many samples fell. */
function widestGap(periodNs: number, tickNs: number, samples: number): number {
  const phases = Array.from({ length: samples }, (_, at) => ((at * periodNs) % tickNs) / tickNs).sort((a, b) => a - b);
  const around = 1 - phases.at(-1)! + phases[0]!;
  return phases.reduce((most, phase, at) => Math.max(most, phase - (phases[at - 1] ?? phase)), around);
}
