import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openvswitch } from '../../src/collectors/openvswitch.ts';
import { switchHits, switchLost, switchMissed } from '../../src/metrics/catalogue/index.ts';
import { fail } from '../../src/base/result.ts';
import { Window } from '../../src/metrics/window.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { switchDrops } from '../../src/rules/switch-drops.ts';
import { collect, valuesOf } from '../support/reader.ts';

const asked = fail('not in the copy');

describe('openvswitch collector', () => {
  it('gives the lookups of each datapath', () => {
    const rows = [{ datapath: 'system@ovs-system', hit: 9, missed: 5, lost: 2 }];
    const snapshot = collect(openvswitch, { dumps: { openvswitch: rows } });
    assert.deepEqual(valuesOf(snapshot, switchHits), { 'datapath=system@ovs-system': 9 });
    assert.deepEqual(valuesOf(snapshot, switchMissed), { 'datapath=system@ovs-system': 5 });
    assert.deepEqual(valuesOf(snapshot, switchLost), { 'datapath=system@ovs-system': 2 });
  });

  it('has nothing to say where it is not loaded, and does not know where it is', () => {
    const of = (modules: string): string | undefined =>
      collect(openvswitch, { files: { '/proc/modules': modules }, dumps: { openvswitch: asked } }).collector(
        'openvswitch',
      )?.status;
    assert.equal(of('virtio_net 77824 0 - Live 0x0\n'), 'not-applicable');
    assert.equal(of('openvswitch 77824 0 - Live 0x0\n'), 'unavailable');
  });

  it('is not known where none of what it printed is understood, or no list of modules was copied', () => {
    const status = (files: Record<string, string | typeof asked>, rows: unknown): string | undefined =>
      collect(openvswitch, { files, dumps: { openvswitch: rows } }).collector('openvswitch')?.status;
    assert.equal(status({ '/proc/modules': 'virtio_net 77824 0 - Live 0x0\n' }, null), 'unavailable');
    assert.equal(status({ '/proc/modules': asked }, asked), 'unavailable');
  });

  const running = {
    '/proc/modules': 'virtio_net 77824 0 - Live 0x0\n',
    '/run/openvswitch/ovs-vswitchd.pid': '911\n',
    '/proc/911/comm': 'ovs-vswitchd\n',
    '/proc/911/task/911/comm': 'ovs-vswitchd\n',
  };
  const kernel = [{ datapath: 'system@ovs-system', hit: 9, missed: 5, lost: 0 }];
  const judged = (files: Record<string, string>, rows: unknown): string => {
    const [before, after] = [1, 2].map(() => collect(openvswitch, { files, dumps: { openvswitch: rows } }));
    const findings = evaluateRules(new Window(before!, after!), [switchDrops]);
    return findings
      .map(({ outcome, missing }) => `${outcome} ${missing.map(({ reason }) => reason).join()}`.trim())
      .join();
  };

  it('knows a live kernel that has a datapath, or none', () => {
    assert.equal(judged(running, kernel), 'ok');
    assert.match(judged({}, []), /^not-applicable/);
  });

  it('takes nothing for health where ovs-vswitchd has a datapath of its own', () => {
    assert.match(judged(running, asked), /^not-measured .*ovs-appctl dpctl\/show -s tells/);
    assert.match(judged(running, []), /^not-measured .*ovs-appctl dpctl\/show -s tells/);
    assert.match(
      judged({ ...running, '/proc/911/task/920/comm': 'pmd-c03/id:8\n' }, kernel),
      /^not-measured .*ovs-appctl dpctl\/show -s tells/,
    );
    assert.match(
      judged({ ...running, '/proc/911/comm': 'bash\n' }, asked),
      /^not-applicable/,
      'a number that was left',
    );
  });
});
