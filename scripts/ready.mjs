// What `npm start` needs, also in a fresh clone: the packages and a build.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

function npm(...args) {
  const { status } = spawnSync('npm', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync('node_modules/typescript')) npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
npm('run', '--silent', 'build');
