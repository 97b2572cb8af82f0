import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Fetches the packages and builds everything a second time. */
const onlyInCi = process.env['CI'] === 'true' ? false : 'a minute or two, in CI only';

describe('a fresh clone', { skip: onlyInCi }, () => {
  it("makes a report by the README's second command, which does the work of the first", () => {
    const folder = mkdtempSync(join(tmpdir(), 'pktcost-clone-'));
    try {
      execFileSync('git', ['clone', '-q', '--depth', '1', `file://${root}`, folder]);
      const start = ['start', '--', '--window', '500ms', '--fail-on', 'never'];
      const { status, stdout, stderr } = spawnSync('npm', start, { cwd: folder, encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^Checks  /m);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
