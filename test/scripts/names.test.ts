import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';

function sharedIn(files: Readonly<Record<string, string>>): { status: number | null; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-names-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/names.mjs', folder], { encoding: 'utf8' });
    return { status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('names what two files declare, whatever they declare it as', () => {
  const found = sharedIn({
    'base/a.ts': 'export interface Way {}\nexport const cost = 1;',
    'facts/b.ts': 'export type Way = 1;\nexport async function cost() {}',
    'report/text/c.ts': 'export interface Way {}',
  });
  assert.equal(found.status, 1);
  assert.equal(
    found.stderr,
    'one name for several things: Way (base/a.ts, facts/b.ts, report/text/c.ts)\n' +
      'one name for several things: cost (base/a.ts, facts/b.ts)\n',
  );
});

it('counts what is generated, and the types and constants of a file that another exports', () => {
  const found = sharedIn({
    'base/a.ts': 'export const LIMIT = 1;\nexport function keyOf() {}',
    'facts/b.ts': 'export interface Tap {}\nfunction keyOf() {}',
    'facts/c.ts': 'interface Tap {}\nconst LIMIT = 2;',
    'generated/report.ts': 'export interface Tap {}',
  });
  assert.equal(found.status, 1);
  assert.equal(
    found.stderr,
    'one name for several things: LIMIT (base/a.ts, facts/c.ts)\n' +
      'one name for several things: Tap (facts/b.ts, facts/c.ts, generated/report.ts)\n',
  );
});

it('says nothing of overloads, of what files keep to themselves, of subjects and formats', () => {
  const found = sharedIn({
    'base/a.ts': 'export function of(a: 1): 1;\nexport function of(a: 2): 2;\ninterface Own {}',
    'facts/b.ts': 'interface Own {}\nexport interface Tap {}',
    'collectors/pressure.ts': 'export const pressure = 1;',
    'rules/pressure.ts': 'export const pressure = 1;',
    'report/text/table.ts': 'export function drawTable() {}',
    'report/html/table.ts': 'export function drawTable() {}',
  });
  assert.deepEqual(found, { status: 0, stderr: '' });
});

it('refuses a format that shares its name with what formats are given', () => {
  const found = sharedIn({
    'report/build/taps.ts': 'export function tapsSection() {}',
    'report/html/taps.ts': 'export function tapsSection() {}',
  });
  assert.equal(found.status, 1);
});

it('refuses a name that hides what the language has', () => {
  const found = sharedIn({ 'jobs/a.ts': 'export interface Event {}', 'jobs/b.ts': 'export type Seen = 1;' });
  assert.deepEqual(found, { status: 1, stderr: 'hides what the language has: Event (jobs/a.ts)\n' });
});

it('names a function that two files have in the same words, under whichever names', () => {
  const body = "(labels: Labels): string {\n  return labels['netns'] ?? OWN_NETNS_OF_THE_ONE_THAT_RUNS_IT;\n}";
  const found = sharedIn({
    'facts/a.ts': `function netnsOf${body}`,
    'facts/b.ts': `export function placeOf${body}\nfunction one(): number {\n  return 1;\n}`,
    'facts/c.ts': 'function two(): number {\n  return 1;\n}',
  });
  assert.equal(found.status, 1);
  assert.equal(found.stderr, 'one function written twice: netnsOf of facts/a.ts, placeOf of facts/b.ts\n');
});
