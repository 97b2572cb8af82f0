import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { defineCollector } from '../../src/collectors/collector.ts';
import { sysctl as realSysctl } from '../../src/collectors/sysctl.ts';
import { sockstat as fields, sysctl as tunable } from '../../src/metrics/catalogue/index.ts';
import { ok } from '../../src/base/result.ts';
import { chooseNamespaces } from '../../src/sources/choose.ts';
import { HOST_ROOTS } from '../../src/sources/live-reader.ts';
import { takeSample, unlistedView, type NamespaceView } from '../../src/sources/take-sample.ts';
import { fakeReader } from '../support/reader.ts';

const used = fields.member('sockets_used');
const sockstat = defineCollector({
  id: 'sockstat',
  turn: 0,
  scope: 'netns',
  reads: [],
  collect: (host, emit) => {
    emit(used, {}, host.parse('/proc/net/sockstat', (bytes) => ok(bytes.length)) ?? -1);
  },
});
const hostOnly = defineCollector({ ...sockstat, id: 'host', scope: 'host', collect: () => undefined });
const sysctl = defineCollector({
  ...realSysctl,
  collect: (_host, emit) => {
    emit(tunable, { name: 'net.core.somaxconn' }, 4096);
  },
});

const reader = fakeReader({ files: { '/proc/net/sockstat': 'own' } });
const view = (name: string): NamespaceView => ({
  name,
  path: `/run/netns/${name}`,
  visit: (look) => {
    if (name === 'gone') return refusal('ENOENT');
    look(fakeReader({ files: { '/proc/net/sockstat': `of ${name}` } }));
    return ok(undefined);
  },
});

describe('a sample', () => {
  it('keeps the series of each namespace apart, and runs what is the same everywhere once', () => {
    const namespaces = [view('pod'), view('gone')];
    const snapshot = takeSample({ reader, collectors: [sockstat, hostOnly], namespaces });
    assert.equal(snapshot.get(used, {})?.value, 3);
    assert.equal(snapshot.get(used, { netns: 'pod' })?.value, 6);
    assert.deepEqual(
      snapshot.collectors.map(({ id, netns, status }) => `${id} ${netns} ${status}`),
      ['sockstat  ok', 'host  ok', 'sockstat pod ok', 'sockstat gone unavailable', 'owners  ok', 'readers  ok'],
    );
    assert.deepEqual(snapshot.collector('sockstat', 'gone')?.gaps, [
      { path: '/run/netns/gone', reason: 'no such file or directory (ENOENT)', errno: 'ENOENT' },
    ]);
  });

  it('leaves the tunables of very many namespaces unread, and says so', () => {
    const namespaces = Array.from({ length: 101 }, (_, index) => view(`pod${index}`));
    const snapshot = takeSample({ reader, collectors: [sysctl], namespaces });
    assert.equal(snapshot.series(tunable).length, 1);
    assert.equal(snapshot.collector('sysctl')?.status, 'ok');
    assert.match(snapshot.collector('sysctl', 'pod7')?.gaps[0]?.reason ?? '', /more than 100 namespaces/);
    assert.equal(
      takeSample({ reader, collectors: [sysctl], namespaces: namespaces.slice(1) }).series(tunable).length,
      101,
    );
  });

  it('carries the time of a recorded one', () => {
    const taken = { takenAt: '2026-01-01T00:00:00.000Z', at: 17 };
    const snapshot = takeSample({ reader, collectors: [], taken });
    assert.deepEqual([snapshot.takenAt, snapshot.at], [taken.takenAt, taken.at]);
  });
});

describe('the namespaces of --netns all', () => {
  it('go on without those that cannot be listed, and say why', () => {
    // A file of a procfs is no directory of processes.
    const chosen = chooseNamespaces('all', { ...HOST_ROOTS, procfs: '/proc/version' });
    assert.ok(chosen.ok);
    assert.deepEqual(chosen.value.namespaces, []);
    assert.match(chosen.value.unlisted ?? '', /ENOTDIR/);
    const namespaces = [unlistedView(chosen.value.unlisted ?? '')];
    const snapshot = takeSample({ reader, collectors: [sockstat, hostOnly], namespaces });
    assert.equal(snapshot.collector('sockstat')?.status, 'ok');
    const report = snapshot.collector('sockstat', 'others');
    assert.equal(report?.status, 'unavailable');
    assert.match(report.gaps[0]?.reason ?? '', /could not be listed: not a directory/);
  });

  it('are none in a copy of /proc, and that is no failure', () => {
    const chosen = chooseNamespaces('all', { ...HOST_ROOTS, procfs: '/tmp' });
    assert.deepEqual(chosen, { ok: true, value: { namespaces: [] } });
  });
});
