import assert from 'node:assert/strict';
import { closeSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { askInNamespace, inNamespace, netnsInode, privateNamespace } from '../../src/ffi/namespaces.ts';
import { fail, ok } from '../../src/base/result.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

const here = (): string => readlinkSync('/proc/self/ns/net');

function reasonOf(result: { readonly ok: boolean; readonly reason?: string }): string {
  assert.ok(!result.ok);
  return result.reason ?? '';
}

describe('number of a namespace', () => {
  it('is that of its link, or a reason', () => {
    assert.deepEqual(netnsInode(), ok(Number(/\d+/.exec(here())![0])));
    assert.match(reasonOf(netnsInode('/proc/self/ns/none')), /\(ENOENT\)$/);
    assert.match(reasonOf(netnsInode('/proc/self/stat')), /\(EINVAL\)$/);
    assert.equal(reasonOf(netnsInode('/proc/self/ns/uts')), 'not a network namespace');
  });
});

describe('entering a namespace', { skip: withoutRoot }, () => {
  let netns: TestNamespace;
  before(() => {
    netns = new TestNamespace();
  });
  after(() => netns.remove());

  it('comes back to its own, also from a look that throws, and keeps no descriptor', () => {
    const own = here();
    const open = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) {
      const there = inNamespace(netns.path, here);
      assert.ok(there.ok && there.value !== own);
      assert.throws(
        () =>
          inNamespace(netns.path, () => {
            throw new Error('inside');
          }),
        /inside/,
      );
      assert.ok(!inNamespace('/proc/self/ns/uts', here).ok);
      assert.equal(here(), own);
    }
    assert.equal(readdirSync('/proc/self/fd').length, open);
  });

  it('says why it cannot be entered', () => {
    assert.equal(
      reasonOf(inNamespace('/run/netns/pktcost-none', () => 1)),
      'cannot open the network namespace: no such file or directory (ENOENT)',
    );
    assert.match(reasonOf(inNamespace('/proc/self/ns/uts', () => 1)), /cannot enter .* invalid argument \(EINVAL\)/);
  });

  it('stays where it is when it may not enter', () => {
    const own = here();
    process.seteuid?.(65534);
    try {
      assert.match(reasonOf(inNamespace('/proc/thread-self/ns/net', here)), /operation not permitted \(EPERM\)/);
    } finally {
      process.seteuid?.(0);
    }
    assert.equal(here(), own);
  });

  it('hands on the answer from inside, and asks on the spot without a path', () => {
    assert.deepEqual(
      askInNamespace(netns.path, () => fail('inside')),
      fail('inside'),
    );
    assert.deepEqual(
      askInNamespace(undefined, () => ok(here())),
      ok(here()),
    );
    const there = askInNamespace(netns.path, () => ok(here()));
    assert.ok(there.ok && there.value !== here());
  });

  it('makes one of its own that lives as long as its descriptor, and stays at home', () => {
    const own = here();
    const made = privateNamespace();
    assert.ok(made.ok);
    assert.equal(here(), own);
    const devices = inNamespace(`/proc/self/fd/${made.value}`, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
    closeSync(made.value);
    assert.ok(devices.ok);
    assert.match(devices.value, /\blo:/);
  });
});
