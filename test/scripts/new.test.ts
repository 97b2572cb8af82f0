import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { repository } from '../support/fixture.ts';

describe('what begins with a template', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-new-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });
  for (const part of ['src/collectors', 'src/metrics', 'src/rules', 'test/collectors', 'test/rules', 'docs/rules'])
    cpSync(join(repository, part), join(folder, part), { recursive: true });

  function begin(script: string, ...words: readonly string[]): readonly string[] {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(repository, 'scripts', script), ...words], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((line) => existsSync(join(folder, line)) && line !== '');
  }

  it('is a collector in five files, the indexes among them', () => {
    assert.deepEqual(begin('new-collector.mjs', 'skbpool'), [
      'src/collectors/skbpool.ts',
      'test/collectors/skbpool.test.ts',
      'src/metrics/catalogue/skbpool.ts',
      'src/metrics/catalogue/index.ts',
      'src/collectors/index.ts',
    ]);
    assert.match(readFileSync(join(folder, 'src/collectors/index.ts'), 'utf8'), /^ {2}skbpool,$/m);
  });

  it('is a rule in four files, the index among them', () => {
    assert.deepEqual(begin('new-rule.mjs', 'PKT0699', 'some-noun', 'cpu'), [
      'src/rules/some-noun.ts',
      'test/rules/some-noun.test.ts',
      'docs/rules/PKT0699.md',
      'src/rules/index.ts',
    ]);
    assert.match(readFileSync(join(folder, 'src/rules/index.ts'), 'utf8'), /\bsomeNoun\b/);
  });
});
