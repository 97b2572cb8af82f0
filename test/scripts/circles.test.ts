import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

function circlesIn(files: Readonly<Record<string, string>>): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-circles-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
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
