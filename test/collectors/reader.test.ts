import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { overlay, type Layer, type Reader } from '../../src/collectors/reader.ts';
import { fail, ok } from '../../src/base/result.ts';

const below: Reader = {
  lastReadAt: 1,
  read: (path) => ok(Buffer.from(`below ${path}`)),
  list: () => ok(['below']),
  link: () => ok('below'),
  dump: (name, inodes) => ok({ name, inodes }),
};

function textOf(reader: Reader, path: string): string {
  const bytes = reader.read(path);
  return bytes.ok ? Buffer.from(bytes.value).toString() : bytes.reason;
}

describe('overlay', () => {
  it('asks the reader below for all that the layer says nothing of', () => {
    const reader = overlay(below, { read: (path) => (path === '/hidden' ? fail('hidden') : undefined) });
    assert.equal(textOf(reader, '/hidden'), 'hidden');
    assert.equal(textOf(reader, '/shown'), 'below /shown');
    assert.deepEqual(reader.list('/hidden'), ok(['below']));
    assert.deepEqual(reader.link('/hidden'), ok('below'));
    assert.deepEqual(reader.dump('socket_owners', [7]), ok({ name: 'socket_owners', inodes: [7] }));
  });

  it('gives the time of the layer for what the layer answered, and the reader’s for the next read', () => {
    const layer: Layer = { lastReadAt: 5, dump: (name) => (name === 'probe' ? ok('probe') : undefined) };
    const reader = overlay(below, layer);
    assert.equal(reader.lastReadAt, 1);
    reader.dump('probe');
    assert.equal(reader.lastReadAt, 5);
    reader.dump('sysconf');
    assert.equal(reader.lastReadAt, 1);
    reader.dump('probe');
    reader.list('/');
    assert.equal(reader.lastReadAt, 1);
  });

  it('gives the reader’s time where the layer has none of its own', () => {
    const reader = overlay(below, { read: () => ok(Buffer.from('own')) });
    assert.equal(textOf(reader, '/x'), 'own');
    assert.equal(reader.lastReadAt, 1);
  });
});
