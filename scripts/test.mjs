// Runs the compiled tests. `--unit` leaves the scenarios out, `--scenarios` runs only them, one file at a time: they
// share the machine's network stack.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const argv = process.argv.slice(2);
const only = new Set(argv.filter((arg) => arg === '--unit' || arg === '--scenarios'));
const rest = argv.filter((arg) => !only.has(arg));

function testFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function run(files, flags) {
  if (files.length === 0) return 0;
  const { status, signal } = spawnSync(process.execPath, ['--test', ...flags, ...rest, ...files], { stdio: 'inherit' });
  return signal === null ? (status ?? 1) : 1;
}

const all = testFiles('build/test');
const scenarios = all.filter((file) => file.includes('/scenarios/'));
const live = all.filter((file) => /\/(ffi|probe|sources|commands)\//.test(file));
const unit = all.filter((file) => !scenarios.includes(file) && !live.includes(file));

let status = 0;
if (!only.has('--scenarios')) {
  status ||= run(unit, []);
  // These attach probes, open sockets and start the built command: side by side they would see each other's traffic.
  status ||= run(live, ['--test-concurrency=1']);
}
if (!only.has('--unit')) status ||= run(scenarios, ['--test-concurrency=1']);
process.exit(status);
