// Packages of npm that this machine cannot run, and npm therefore would not install: those of another architecture.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** Where the lab keeps them too. */
const folder = join(root, '.cache/lab/npm');

/** The tarball of a package, kept in .cache; npm holds it against what the registry says of it, and we against the lock file. */
function tarballOf(name, version, integrity) {
  const path = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const draft = mkdtempSync(join(folder, 'tmp-'));
    try {
      const argv = ['pack', '--silent', '--pack-destination', draft, `${name}@${version}`];
      const packed = execFileSync('npm', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
      renameSync(join(draft, packed.trim().split('\n').at(-1) ?? ''), path);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  if (integrity === undefined) return path;
  const sum = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`;
  if (sum !== integrity) throw new Error(`${path} is not what package-lock.json names: remove it`);
  return path;
}

export function unpackTarball(path, into) {
  mkdirSync(into, { recursive: true });
  execFileSync('tar', ['-xzf', path, '--strip-components=1', '-C', into]);
}

/** koffi's binary for an architecture, as Node names it, as package-lock.json pins it. */
export function koffiTarball(arch) {
  const name = `@koromix/koffi-linux-${arch}`;
  const { version, integrity } = read('package-lock.json').packages[`node_modules/${name}`];
  return tarballOf(name, version, integrity);
}

/** Node for an architecture: of the version that test/nodes runs the built command under. */
export function nodeTarball(arch) {
  const version = read('test/nodes/package.json').dependencies['node-24'].split('@').at(-1);
  return tarballOf(`node-linux-${arch}`, version);
}
