import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseHookFunction } from '../../../src/sources/dumps/netfilter-hooks.ts';
import { parseNfChain, parseNfRule } from '../../../src/sources/dumps/nftables.ts';
import { cutAnywhere, garbled } from '../../support/bytes.ts';
import { be, nla, text } from '../../support/netlink.ts';

const header = (family: number): Uint8Array => new Uint8Array([family, 0, 0, 0]);
const message = (family: number, ...attributes: Uint8Array[]): Uint8Array =>
  Buffer.concat([header(family), ...attributes]);
const expression = (name: string, ...data: Uint8Array[]): Uint8Array => nla(1, nla(1, text(name)), nla(2, ...data));

const INPUT_CHAIN = message(
  1,
  nla(1, text('filter')),
  nla(3, text('input')),
  nla(4, nla(1, be(1)), nla(2, be(0xfffffed4))),
  nla(5, be(0)),
  nla(7, text('filter')),
  nla(6, be(201)),
);

describe('nf_tables messages', () => {
  it('tell of a base chain its hook, priority and policy', () => {
    const chain = parseNfChain(INPUT_CHAIN);
    assert.ok(chain.ok);
    assert.deepEqual(chain.value, {
      family: 'inet',
      table: 'filter',
      chain: 'input',
      base: { hook: 'input', priority: -300, device: '', policy: 'drop', type: 'filter' },
      use: 201,
    });
  });

  it('tell of a netdev chain its device, and of a chain that others jump to that no hook runs it', () => {
    const ingress = parseNfChain(
      message(5, nla(1, text('t')), nla(3, text('c')), nla(4, nla(1, be(0)), nla(4, nla(1, text('eth0'))))),
    );
    assert.ok(ingress.ok);
    assert.equal(ingress.value.base?.hook, 'ingress');
    assert.equal(ingress.value.base.device, 'eth0');
    const inner = parseNfChain(message(2, nla(1, text('nat')), nla(3, text('KUBE-SVC'))));
    assert.ok(inner.ok);
    assert.equal(inner.value.base, null);
  });

  it('tell of a rule its counter, its jumps, and whether it lets known flows pass', () => {
    const rule = parseNfRule(
      message(
        2,
        nla(1, text('filter')),
        nla(2, text('INPUT')),
        nla(3, be(0), be(7)),
        nla(
          4,
          expression('counter', nla(1, be(0), be(640)), nla(2, be(1), be(10))),
          expression('immediate', nla(1, be(0)), nla(2, nla(2, nla(1, be(0xfffffffd)), nla(2, text('sub'))))),
        ),
      ),
    );
    assert.ok(rule.ok);
    assert.deepEqual(rule.value, {
      family: 'ip',
      table: 'filter',
      chain: 'INPUT',
      handle: 7,
      packets: 2 ** 32 + 10,
      jumps: ['sub'],
      established: false,
    });
    const accept = expression('immediate', nla(1, be(0)), nla(2, nla(2, nla(1, be(1)))));
    for (const state of [expression('ct', nla(2, be(0))), expression('match', nla(1, text('conntrack')))]) {
      const known = parseNfRule(message(2, nla(2, text('INPUT')), nla(4, state, accept)));
      assert.ok(known.ok && known.value.established);
    }
    const mark = parseNfRule(message(2, nla(2, text('INPUT')), nla(4, expression('ct', nla(2, be(3))), accept)));
    assert.ok(mark.ok && !mark.value.established, 'another key of ct');
  });

  it('tell who sits on a hook', () => {
    const hook = parseHookFunction(
      message(
        2,
        nla(1, be(1)),
        nla(2, be(0xffffff38)),
        nla(4, text('ipv4_conntrack_in')),
        nla(5, text('nf_conntrack')),
      ),
    );
    assert.ok(hook.ok);
    assert.deepEqual(hook.value, {
      family: 'ip',
      hook: 'input',
      priority: -200,
      function: 'ipv4_conntrack_in',
      module: 'nf_conntrack',
    });
  });

  it('are answered with a reason or a value wherever they are cut or damaged', () => {
    for (const parse of [parseNfChain, parseNfRule, parseHookFunction]) {
      for (const bytes of [...cutAnywhere(INPUT_CHAIN), ...garbled(INPUT_CHAIN)]) {
        const result = parse(bytes);
        assert.ok(result.ok || result.reason.length > 0);
      }
    }
  });
});
