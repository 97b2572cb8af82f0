// Runs the compiled tests. `--unit` leaves the scenarios out, `--scenarios` runs only them, one file at a time: they
// share the machine's network stack.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

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

// Failures once more at the end, for whoever reads it in a pipe or a log; CI reads lines of its own.
const reporter = process.env.CI === 'true' ? [] : ['--test-reporter=spec'];

function run(files, flags) {
  if (files.length === 0) return 0;
  const { status, signal } = spawnSync(process.execPath, ['--test', ...reporter, ...flags, ...rest, ...files], {
    stdio: 'inherit',
  });
  return signal === null ? (status ?? 1) : 1;
}

const all = testFiles('build/test');
const scenarios = all.filter((file) => file.includes('/scenarios/'));
const live = all.filter((file) => /\/(ffi|probe|sources|commands)\//.test(file));
const unit = all.filter((file) => !scenarios.includes(file) && !live.includes(file));

// Every part runs whatever became of the one before: what was not run is not known to work.
const failed = [];
function part(name, files, flags) {
  if (run(files, flags) !== 0) failed.push(name);
}
if (!only.has('--scenarios')) {
  part('unit tests', unit, []);
  // These attach probes, open sockets and start the built command: side by side they would see each other's traffic.
  part('live tests', live, ['--test-concurrency=1']);
}
if (!only.has('--unit')) part('scenarios', scenarios, ['--test-concurrency=1']);
if (failed.length > 0) process.stderr.write(`failed: ${failed.join(', ')}\n`);
process.exit(failed.length === 0 ? 0 : 1);
