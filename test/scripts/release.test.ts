import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const script = resolve('scripts/release.mjs');

const ready: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "released", "version": "1.2.3", "license": "MIT" }',
  'package-lock.json': '{ "name": "released", "version": "1.2.3" }',
  'CHANGELOG.md':
    '# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-12-01\n\n- Something new.\n\n## 1.2.2 - 2026-11-01\n',
};

describe('scripts/release.mjs', () => {
  let folder = '';
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  const commit = (changed: Readonly<Record<string, string>> = {}): void => {
    for (const [name, text] of Object.entries({ ...ready, ...changed })) writeFileSync(join(folder, name), text);
    git('add', '.');
    git('commit', '--quiet', '--message', 'x');
  };
  const release = (): { status: number | null; stdout: string } => {
    const { status, stdout } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
    return { status, stdout };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pktcost-release-'));
    git('init', '--quiet');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('says what it would do, and does nothing of it', () => {
    commit();
    const { status, stdout } = release();
    assert.equal(
      stdout,
      'release: released 1.2.3 is ready. With --publish it is packed, tagged v1.2.3, and published to npm.\n',
    );
    assert.equal(status, 0);
    assert.equal(git('tag'), '');
    assert.deepEqual(readdirSync(folder).sort(), ['.git', 'CHANGELOG.md', 'package-lock.json', 'package.json']);
  });

  const refused: readonly (readonly [why: string, changed: Readonly<Record<string, string>>, says: RegExp])[] = [
    ['a version without a section', { 'CHANGELOG.md': '## 1.2.2 - 2026-11-01\n\n- x\n' }, /no section "## 1\.2\.3 /],
    [
      'an empty section',
      { 'CHANGELOG.md': '## 1.2.3 - 2026-12-01\n\n## 1.2.2 - 2026-11-01\n\n- x\n' },
      /nothing is said of 1\.2\.3/,
    ],
    ['a section without a date', { 'CHANGELOG.md': '## 1.2.3\n\n- x\n' }, /has no date/],
    [
      'something unreleased',
      { 'CHANGELOG.md': '## Unreleased\n\n- y\n\n## 1.2.3 - 2026-12-01\n\n- x\n' },
      /still something under "Unreleased"/,
    ],
    [
      'another version in the lock file',
      { 'package-lock.json': '{ "version": "1.2.2" }' },
      /package-lock\.json has another/,
    ],
  ];
  for (const [why, changed, says] of refused) {
    it(`refuses ${why}`, () => {
      commit(changed);
      const { status, stdout } = release();
      assert.match(stdout, says);
      assert.equal(status, 1);
    });
  }

  it('refuses a tree that is not what would be tagged, and a tag that stands', () => {
    commit();
    git('tag', 'v1.2.3');
    writeFileSync(join(folder, 'new'), '');
    const { status, stdout } = release();
    assert.match(stdout, /the tree is not clean/);
    assert.match(stdout, /v1\.2\.3 is tagged already/);
    assert.equal(status, 1);
  });
});
