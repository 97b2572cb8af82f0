// Everything that can be said about the source without running it. Steps run side by side; all are reported.
import { spawn } from 'node:child_process';

const steps = {
  types: ['tsc', '-p', 'tsconfig.json', '--noEmit', '--incremental', 'false'],
  lint: ['eslint', '.', '--max-warnings=0', '--cache', '--cache-location', 'build/.eslintcache'],
  format: ['prettier', '--check', '--log-level', 'warn', '--cache', '--cache-location', 'build/.prettiercache', '.'],
  'dead code': ['knip', '--no-progress'],
  generated: ['node', 'scripts/generate.mjs', '--check'],
  'probe objects': ['node', 'scripts/bpf.mjs', '--check'],
  docs: ['node', 'scripts/docs.mjs', '--check'],
  package: ['publint', '--strict'],
};

function run([command, ...args]) {
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

const queue = Object.entries(steps);
let failed = 0;
async function worker() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const [name, command] = step;
    const { status, output, seconds } = await run(command);
    process.stdout.write(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)\n`);
    if (status !== 0) {
      failed += 1;
      process.stdout.write(`${output.trim()}\n\n`);
    }
  }
}
await Promise.all([worker(), worker()]);
process.exit(failed === 0 ? 0 : 1);
