import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const script = resolve('scripts/test.mjs');

const head = "const { test, describe, it } = require('node:test'); const assert = require('node:assert/strict');\n";
const one =
  head +
  `test('is fine', () => {});
test('a whole', async (t) => { await t.test('a piece of it', () => assert.fail('the words of the test')); });
describe('a suite', () => { it('throws', () => { throw new Error('first line\\nsecond line'); }); });
test('not yet', { todo: true }, () => assert.fail('nobody minds'));
`;

describe('scripts/test.mjs', () => {
  let folder = '';
  const run = (files: Readonly<Record<string, string>>, ci: boolean): { status: number | null; lines: string[] } => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, 'build/test', name, '..'), { recursive: true });
      writeFileSync(join(folder, 'build/test', name), text);
    }
    // A run that finds itself inside a run does nothing.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, [script], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...env, CI: String(ci), TMPDIR: folder },
    });
    return { status, lines: stdout.trimEnd().split('\n') };
  };
  /** From the line that counts the failures to the end. */
  const listOf = (lines: readonly string[]): readonly string[] =>
    lines.slice(lines.findIndex((line) => /^\d+ failures? in /.test(line)));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pktcost-test-script-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  for (const ci of [true, false]) {
    it(`ends with what failed in all parts, and why, with CI=${String(ci)}`, () => {
      const { status, lines } = run(
        {
          'base/one.test.js': one,
          'base/two.test.js': 'throw new TypeError("the file is broken")',
          'commands/live.test.js': `${head}test('lives', () => assert.fail('it does not'));`,
          'scenarios/fine.test.js': `${head}test('is fine', () => {});`,
        },
        ci,
      );
      assert.equal(status, 1);
      const list = listOf(lines).map((line) => line.replace(/ \(?\S*build\/test\/(\S+):\d+:\d+\)?$/, ' $1'));
      assert.deepEqual(list, [
        '4 failures in unit tests, live tests:',
        '1. unit tests: build/test/base/one.test.js:3 > a whole > a piece of it',
        '     the words of the test',
        '         at TestContext.<anonymous> base/one.test.js',
        '2. unit tests: build/test/base/one.test.js:4 > a suite > throws',
        '     first line',
        '     second line',
        '         at TestContext.<anonymous> base/one.test.js',
        '3. unit tests: build/test/base/two.test.js',
        '     exit code 1',
        '     TypeError: the file is broken',
        '4. live tests: build/test/commands/live.test.js:2 > lives',
        '     it does not',
        '         at TestContext.<anonymous> commands/live.test.js',
      ]);
      assert.deepEqual(readdirSync(folder), ['build'], 'a folder was left behind');
    });
  }

  it('prints no list when nothing failed', () => {
    const { status, lines } = run({ 'base/fine.test.js': `${head}test('is fine', () => {});` }, true);
    assert.equal(status, 0);
    assert.equal(listOf(lines).join('\n').includes('failure'), false);
    assert.ok(lines.includes('# pass 1'));
  });

  it('names every test when many fail, within the last hundred lines', () => {
    const many = Array.from({ length: 60 }, (_, n) => `test('number ${String(n)}', () => assert.deepEqual([1], [2]));`);
    const { lines } = run({ 'base/many.test.js': head + many.join('\n') }, true);
    const list = listOf(lines);
    assert.ok(list.length < 100, `${String(list.length)} lines`);
    for (const n of many.keys())
      assert.ok(
        list.some((line) => line.endsWith(`> number ${String(n)}`)),
        String(n),
      );
  });

  it('says that a run was ended from outside', () => {
    const { status, lines } = run({ 'base/ends.test.js': "process.kill(process.ppid, 'SIGKILL')" }, true);
    assert.equal(status, 1);
    assert.deepEqual(listOf(lines), ['1 failure in unit tests:', '1. unit tests: the run was ended by SIGKILL']);
  });
});
