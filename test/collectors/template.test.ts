import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { parseTemplate, template } from '../../src/collectors/template.ts';
import { templateEvents } from '../../src/metrics/catalogue/template.ts';
import { collect, valuesOf } from '../support/reader.ts';

const file = '/proc/template';

describe('template collector', () => {
  it('gives each count under its name', () => {
    const snapshot = collect(template, { files: { [file]: 'one 1\ntwo 2\n' } });
    assert.deepEqual(valuesOf(snapshot, templateEvents), { 'name=one': 1, 'name=two': 2 });
    assert.equal(snapshot.collector('template')?.status, 'ok');
  });

  it('says that the host has nothing of the kind', () => {
    assert.equal(collect(template, { files: {} }).collector('template')?.status, 'not-applicable');
  });

  it('says why the file could not be read, and takes that for no absence', () => {
    const refused = collect(template, { files: { [file]: refusal('EACCES') } }).collector('template');
    assert.equal(refused?.status, 'unavailable');
    assert.deepEqual(refused.gaps, [{ path: file, reason: 'permission denied (EACCES)', errno: 'EACCES' }]);
  });

  it('refuses a file cut in the middle, and says at which byte', () => {
    const parsed = parseTemplate(new TextEncoder().encode('one 1\ntwo'));
    assert.ok(!parsed.ok);
    assert.ok((parsed.offset ?? 0) >= 6);
  });
});
