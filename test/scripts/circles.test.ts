import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';

function circlesIn(files: Readonly<Record<string, string>>): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-circles-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/circles.mjs', folder], { encoding: 'utf8' });
    return { status, stderr: stderr.replaceAll(`${folder}/`, '') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('names the files that reach each other, by whatever they import', () => {
  const found = circlesIn({
    'a.ts': "import type { B } from './b.ts';",
    'b.ts': "export { c } from './c.ts';",
    'c.ts': "const a = await import('./a.ts');",
    'd.ts': "import './a.ts';",
  });
  assert.equal(found.status, 1);
  assert.match(found.stderr, /^circle: [abc]\.ts <-> [abc]\.ts <-> [abc]\.ts\n$/);
});

it('says nothing of files that only share one', () => {
  const found = circlesIn({
    'a.ts': "import './c.ts';\nimport './b.ts';",
    'b.ts': "import './c.ts';\nimport 'node:fs';",
    'c.ts': '',
  });
  assert.deepEqual(found, { status: 0, stderr: '' });
});

it('names rooms that know each other though none of their files reaches itself', () => {
  const found = circlesIn({
    'report/compare/index.ts': '',
    'report/compare/text.ts': "import '../text/layout.ts';\nimport './index.ts';",
    'report/text/layout.ts': '',
    'report/text/index.ts': "import '../compare/index.ts';",
  });
  assert.deepEqual(found, { status: 1, stderr: 'rooms that know each other: report/compare <-> report/text\n' });
});

it('lets a folder call a room of its own which stands on other files of it', () => {
  const found = circlesIn({
    'probe/open.ts': "import './profile/sampler.ts';",
    'probe/profile/sampler.ts': "import '../names.ts';",
    'probe/names.ts': '',
  });
  assert.deepEqual(found, { status: 0, stderr: '' });
});
