import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok } from '../../src/base/result.ts';
import type { Reader } from '../../src/collectors/reader.ts';
import { withDrops, type LiveDrops } from '../../src/jobs/dropped.ts';

const files: Reader = {
  lastReadAt: 1,
  read: () => fail('no files'),
  link: () => fail('no files'),
  list: () => fail('no files'),
  dump: () => fail('no dumps'),
};

describe('the counter of drops behind a reader', () => {
  it('is read when it counted, not when it was asked: looking names up takes a share of a short window', () => {
    const counted: { at: number | undefined } = { at: undefined };
    const drops: LiveDrops = {
      answer: () => {
        counted.at = 5_000;
        return ok({ version: 1, reasons: true, total: 0, lookedAt: 0, noRoom: 0, rarest: 0, rows: [] });
      },
      get countedAt() {
        return counted.at;
      },
      watch: () => undefined,
      cpuShare: () => null,
      close: () => undefined,
    };
    const reader = withDrops(files, drops);
    assert.ok(reader.dump('drops').ok);
    assert.equal(reader.lastReadAt, 5);
  });
});
