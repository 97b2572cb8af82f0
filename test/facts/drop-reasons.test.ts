import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { dropReasons, dropsOwnedBy, meaningOfDrop } from '../../src/facts/drop-reasons.ts';
import { lostBy } from '../../src/facts/lost.ts';
import { parseEnum } from '../../src/probe/btf-enum.ts';
import { rules } from '../../src/rules/index.ts';

const btf = '/sys/kernel/btf/vmlinux';

describe('the reasons of drops', () => {
  it('are all that this kernel has', { skip: !existsSync(btf) && 'needs BTF' }, () => {
    const members = parseEnum(readFileSync(btf), 'skb_drop_reason');
    if (!members.ok) return;
    const names = [...members.value.values()].map((name) => name.replace(/^SKB_DROP_REASON_/, ''));
    const missing = names.filter((name) => !dropReasons.includes(name) && !/^(MAX|SUBSYS_MASK)$/.test(name));
    assert.deepEqual(missing, []);
  });

  it('belong to rules that there are', () => {
    const codes = new Set(rules.map(({ code }) => code));
    for (const reason of dropReasons) {
      const { owner, kind, means } = meaningOfDrop(reason, '');
      assert.ok(owner === '' ? kind !== 'loss' : codes.has(owner), `${reason}: ${owner}`);
      assert.match(means, /^[a-z0-9].*[^.]$/i);
    }
  });

  it('are told by the function where the kernel gives none', () => {
    assert.equal(meaningOfDrop('', 'nf_hook_slow').kind, 'policy');
    assert.equal(meaningOfDrop('NOT_SPECIFIED', 'neigh_invalidate').owner, 'PKT0702');
    // A multicast group that nobody joined is no fault of the routing.
    assert.equal(meaningOfDrop('NOT_SPECIFIED', 'ip_rcv_finish_core').kind, 'unclear');
    assert.equal(meaningOfDrop('UDP_CSUM', 'neigh_invalidate').owner, 'PKT0409');
    assert.equal(meaningOfDrop('NOT_SPECIFIED', 'dst_discard_out').owner, 'PKT0701');
    assert.equal(meaningOfDrop('', 'some_function').kind, 'unclear');
    assert.equal(meaningOfDrop('SOMETHING_NEW', 'f').means, 'the kernel says SOMETHING_NEW');
    assert.equal(meaningOfDrop('constructor', '__proto__').kind, 'unclear');
    assert.ok(dropsOwnedBy('PKT0409').reason.includes('TCP_CSUM'));
  });
});

describe('what was lost', () => {
  const drop = (reason: string, value: number, device = 'eth0'): { value: number; labels: Record<string, string> } => ({
    value,
    labels: { reason, location: 'f', device },
  });
  const counter = (value: number): { value: number; labels: Record<string, string> } => ({ value, labels: {} });

  it('counts a counter and the reason for the same packets once', () => {
    const ways = [{ means: 'rp_filter', counters: [counter(10), undefined], dropReasons: ['IP_RPFILTER'] }];
    assert.deepEqual(lostBy(ways, [drop('IP_RPFILTER', 8), drop('IP_RPFILTER', 1, 'eth1')]), {
      lost: 10,
      ways: [{ means: 'rp_filter', lost: 10, device: 'eth0' }],
    });
  });

  it('knows a drop without a reason by its function, whatever the words', () => {
    const way = {
      means: 'its own words',
      counters: [],
      dropReasons: ['NEIGH_QUEUEFULL'],
      locations: ['__neigh_event_send'],
    };
    const unnamed = { value: 2, labels: { reason: 'NOT_SPECIFIED', location: '__neigh_event_send', device: 'eth0' } };
    const elsewhere = { value: 1, labels: { reason: 'NEIGH_DEAD', location: '__neigh_event_send', device: 'eth0' } };
    const { ways } = lostBy([way], [drop('NEIGH_QUEUEFULL', 3), unnamed, elsewhere]);
    assert.deepEqual(
      ways.map(({ lost, means }) => [lost, means === way.means]),
      [
        [5, true],
        [1, false],
      ],
    );
  });

  it('leaves no drop out: what is in no way is one of its own', () => {
    const { lost, ways } = lostBy([], [drop('IP_LOCALNET', 3), drop('IP_INHDR', 4), drop('IP_CSUM', 0)]);
    assert.equal(lost, 7);
    assert.equal(ways.length, 2);
  });
});
