// Runs the compiled tests. `--unit` leaves the scenarios out, `--scenarios` runs only them, one file at a time: they
// share the machine's network stack. Its last lines say which tests failed in all parts, and why.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { listed } from './failures.mjs';

const argv = process.argv.slice(2);
/** @type {Set<string>} */
const only = new Set(argv.filter((arg) => arg === '--unit' || arg === '--scenarios'));
const rest = argv.filter((arg) => !only.has(arg));

function testFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

// Each reporter takes a destination of its own. People read `spec`; CI reads lines of its own.
const asked = rest.some((arg) => arg.startsWith('--test-reporter')) ? [] : ['--test-reporter', reporterHere()];
const toStdout = rest.some((arg) => arg.startsWith('--test-reporter-destination'))
  ? []
  : ['--test-reporter-destination', 'stdout'];
const failures = fileURLToPath(new URL('failures.mjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'pktcost-test-'));

function reporterHere() {
  return process.env.CI === 'true' ? 'tap' : 'spec';
}

/** @type {import('./failures.mjs').Failure[]} */
const failed = [];
/** @type {string[]} */
const failedParts = [];

// Every part runs whatever became of the one before: what was not run is not known to work.
function part(name, files, flags) {
  if (files.length === 0) return;
  const into = join(scratch, `${name}.jsonl`);
  const reporters = [...asked, ...toStdout, '--test-reporter', failures, '--test-reporter-destination', into];
  const { status, signal } = spawnSync(process.execPath, ['--test', ...rest, ...reporters, ...flags, ...files], {
    stdio: 'inherit',
  });
  const told = failuresIn(into).map((failure) => ({ part: name, ...failure }));
  failed.push(...told);
  if (status === 0) return;
  failedParts.push(name);
  if (signal !== null) failed.push({ part: name, where: `the run was ended by ${signal}`, names: [], message: '' });
  else if (told.length === 0)
    failed.push({ part: name, where: `exit code ${status}, no test failed`, names: [], message: '' });
}

function failuresIn(file) {
  // Without it Node was ended before it opened it, or refused its arguments.
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

try {
  const all = testFiles('build/test');
  const scenarios = all.filter((file) => file.includes('/scenarios/'));
  const live = all.filter((file) => /\/(ffi|probe|sources|commands)\//.test(file));
  const unit = all.filter((file) => !scenarios.includes(file) && !live.includes(file));
  if (!only.has('--scenarios')) {
    // Node alone would leave a CPU free, which of two is half.
    part('unit tests', unit, [`--test-concurrency=${availableParallelism()}`]);
    // These attach probes, open sockets and start the built command: side by side they would see each other's traffic.
    part('live tests', live, ['--test-concurrency=1']);
  }
  if (!only.has('--unit')) part('scenarios', scenarios, ['--test-concurrency=1']);
} finally {
  rmSync(scratch, { recursive: true });
}
if (failed.length > 0) {
  const count = `${failed.length} failure${failed.length === 1 ? '' : 's'}`;
  for (const line of ['', `${count} in ${failedParts.join(', ')}:`, ...listed(failed)]) writeSync(1, `${line}\n`);
}
process.exitCode = failedParts.length === 0 ? 0 : 1;
