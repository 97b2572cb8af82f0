// Everything that can be said about the source without running it. Steps run side by side; all are reported. What has not
// changed is not looked at again: the caches are kept beside the packages, where no build and no `clean` takes them away.
import { spawn } from 'node:child_process';

const caches = 'node_modules/.cache/pktcost';
const cache = (/** @type {string} */ name) => ['--cache', '--cache-location', `${caches}/${name}`];

// The compiler in Go: some ten times as fast. The one in JavaScript stays for what reads its tree (typescript-eslint).
const tsc = 'node_modules/@typescript/native/bin/tsc';

/** The longest first. What reads the build waits for it: it is made once, and is what checks the types. */
const build = 'types';
/** @type {{ name: string, command: string[], needsBuild?: boolean }[]} */
const steps = [
  {
    name: 'format',
    command: ['prettier', '--check', '--plugin=@prettier/plugin-oxc', '--log-level', 'warn', ...cache('prettier'), '.'],
  },
  { name: build, command: ['node', tsc, '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'arrows', command: ['eslint', 'src', '--max-warnings=0', ...cache('eslint')] },
  { name: 'types of scripts', command: ['node', tsc, '-p', 'tsconfig.scripts.json'] },
  { name: 'dead code', command: ['knip', '--no-progress', ...cache('knip')] },
  { name: 'docs', command: ['node', 'scripts/docs.mjs', '--check'], needsBuild: true },
  { name: 'generated', command: ['node', 'scripts/generate.mjs', '--check'], needsBuild: true },
  { name: 'package', command: ['publint', '--strict'] },
  { name: 'probe objects', command: ['node', 'scripts/bpf.mjs', '--check'] },
  { name: 'import circles', command: ['node', 'scripts/circles.mjs'] },
  { name: 'names', command: ['node', 'scripts/names.mjs'] },
];

/**
 * @param {string[]} command
 * @returns {Promise<{ status: number, output: string, seconds: number }>}
 */
function run([command = '', ...args]) {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn(command, args, { env: { ...process.env, PATH: `node_modules/.bin:${process.env.PATH}` } });
    let output = '';
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    child.on('error', (error) => resolve({ status: 1, output: String(error), seconds: 0 }));
    child.on('close', (status) => resolve({ status: status ?? 1, output, seconds: (Date.now() - started) / 1000 }));
  });
}

/** @type {Map<string, Promise<boolean>>} */
const done = new Map();
let failed = 0;

/** @param {typeof steps[number]} step */
async function check({ name, command, needsBuild = false }) {
  if (needsBuild && !(await done.get(build))) {
    process.stdout.write(`FAIL ${name}: there is no build to read\n`);
    failed += 1;
    return false;
  }
  const { status, output, seconds } = await run(command);
  process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)\n`);
  if (status === 0) return true;
  failed += 1;
  process.stdout.write(`${output.trim()}\n\n`);
  return false;
}

const started = Date.now();
const queue = [...steps];
async function worker() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const checked = check(step);
    done.set(step.name, checked);
    await checked;
  }
}
await Promise.all([worker(), worker()]);
process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
process.exit(failed === 0 ? 0 : 1);
