// Packages of Debian's archive for the lab: downloaded, unpacked, never installed. Those of another architecture are looked up
// in an apt of their own under .cache/lab, so that this machine's list of packages never hears of them.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export const CACHE = resolve('.cache/lab');

const LISTS_MS = 24 * 3600 * 1000;

/** @type {import('node:child_process').ExecFileSyncOptionsWithStringEncoding} */
export const quiet = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 };

/** Dependencies of maintainer scripts, not of the programs. */
const NOT_NEEDED =
  /^(adduser|cdebconf|debconf|dpkg|perl.*|libperl.*|python3.*|libpython3.*|.*-perl|gcc-.*|install-info|passwd|libpam.*|tar|usr.*|init-system-helpers|mailcap|media-types|mime-support|openssl|readline-common|libdebian-installer4|libnewt.*|libslang.*|libtextwrap1|libelogind0|util-linux-extra|libgdbm.*|libsemanage.*|libsepol2)$/;

export class Debian {
  #arch;
  #env = process.env;

  /** @param {string} arch Debian's name of an architecture */
  constructor(arch) {
    this.#arch = arch;
    if (execFileSync('dpkg', ['--print-architecture'], quiet).trim() !== arch) this.#env = this.#ownApt();
  }

  /** The environment of an apt that knows this architecture alone, with this machine's sources and fresh lists. */
  #ownApt() {
    const state = join(CACHE, `apt-${this.#arch}`);
    const config = join(state, 'apt.conf');
    for (const folder of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(state, folder), { recursive: true });
    writeFileSync(join(state, 'status'), '');
    writeFileSync(
      config,
      [
        `APT::Architecture "${this.#arch}";`,
        `APT::Architectures { "${this.#arch}"; };`,
        `Dir::State "${state}";`,
        `Dir::State::status "${join(state, 'status')}";`,
        `Dir::Cache "${join(state, 'cache')}";`,
        // The download sandbox's user could not write here.
        'APT::Sandbox::User "root";\n',
      ].join('\n'),
    );
    const env = { ...process.env, APT_CONFIG: config };
    const stamp = join(state, 'updated');
    if (!existsSync(stamp) || Date.now() - statSync(stamp).mtimeMs > LISTS_MS) {
      execFileSync('apt-get', ['-qq', 'update'], { ...quiet, env });
      writeFileSync(stamp, '');
    }
    return env;
  }

  #cache(argv) {
    return execFileSync('apt-cache', argv, { ...quiet, env: this.#env });
  }

  names(prefix) {
    return this.#cache(['pkgnames', prefix]).trim().split('\n');
  }

  /**
   * The packages with all that they depend on, less what only their installation would need.
   * @param {readonly string[]} names
   * @param {RegExp} wanted what is needed all the same
   */
  closure(names, wanted = /^$/) {
    const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
    const answer = this.#cache(['depends', '--recurse', ...kinds.map((each) => `--no-${each}`), ...names]);
    return [...new Set(answer.match(/^\w\S*$/gm))].filter((name) => wanted.test(name) || !NOT_NEEDED.test(name)).sort();
  }

  /** @returns {Map<string, string>} the version that apt would install, of those it offers */
  candidates(names) {
    const versions = new Map();
    for (const block of this.#cache(['policy', ...names]).split(/^(?=\S)/m)) {
      const found = /^(\S+):\n(?:.*\n)*? {2}Candidate: (\S+)/.exec(block);
      if (found && found[2] !== '(none)') versions.set(found[1], found[2]);
    }
    return versions;
  }

  #archiveOf(name, version) {
    const path = (arch) => join(CACHE, 'debs', `${name}_${version.replaceAll(':', '%3a')}_${arch}.deb`);
    return existsSync(path(this.#arch)) ? path(this.#arch) : path('all');
  }

  /** @returns {string[]} the archives of these packages, downloaded where they are missing */
  have(versions) {
    const missing = [...versions].filter(([name, version]) => !existsSync(this.#archiveOf(name, version)));
    if (missing.length > 0) {
      const cwd = join(CACHE, 'debs');
      mkdirSync(cwd, { recursive: true });
      const argv = ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...missing.map(([name]) => name)];
      execFileSync('apt-get', argv, { ...quiet, cwd, env: this.#env });
    }
    return [...versions].map(([name, version]) => this.#archiveOf(name, version));
  }
}

export function unpack(deb, root, exclude = []) {
  const from = spawnSync('dpkg-deb', ['--fsys-tarfile', deb], { maxBuffer: 1 << 30 });
  if (from.status !== 0) throw new Error(`${basename(deb)} cannot be unpacked`);
  const into = spawnSync(
    'tar',
    ['-x', '--keep-directory-symlink', '-C', root, ...exclude.map((each) => `--exclude=${each}`)],
    { input: from.stdout, stdio: ['pipe', 'inherit', 'inherit'] },
  );
  if (into.status !== 0) throw new Error(`tar of ${basename(deb)} failed`);
}
