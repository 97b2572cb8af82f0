import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../../dist', import.meta.url));

describe('dist/THIRD-PARTY.txt', () => {
  it('has the licence of every package that a file of the bundle was made from, and of koffi', () => {
    const text = readFileSync(join(dist, 'THIRD-PARTY.txt'), 'utf8');
    // esbuild names the CommonJS modules that it wraps; those packages at the least must be there.
    const wrapped = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.cjs'))
      .flatMap((name) => [
        ...readFileSync(join(dist, name), 'utf8').matchAll(/"node_modules\/((?:@[^/"]+\/)?[^/"]+)\//g),
      ]);
    const packages = new Set(['koffi', ...wrapped.map(([, name]) => name!)]);
    assert.ok(packages.size > 10, [...packages].join());
    for (const name of packages) assert.match(text, new RegExp(`^${name.replace('/', '\\/')} \\d\\S* \\(`, 'm'), name);
    assert.ok(
      (text.match(/permission notice|Permission is hereby granted|Permission to use/g) ?? []).length >
        packages.size / 2,
    );
  });
});
