import { opendirSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';

import { refusal, systemRefusal } from '../../base/errno.ts';
import { readFileGuarded } from '../../base/file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { withoutPadding } from '../../collectors/cursor.ts';

/**
 * Files that were copied from a host, wherever they are kept: a folder, an archive. They may come from anybody: nothing
 * outside of the copy is ever reached, and nothing is written.
 */
export interface Tree {
  /** A plain file's content; the path begins with a slash, which stands for the top of the copy. */
  read(path: string): Result<Uint8Array>;
  /** Names in a folder, sorted. */
  list(path: string): Result<readonly string[]>;
  /** Whether it is a folder that can be listed, without what is in it: one of /sys may hold 100,000 devices. */
  folder(path: string): Result<unknown>;
  /** The target of a symbolic link, as written in it. */
  link(path: string): Result<string>;
}

const LEADS_OUT = 'a link that leads out of the copy';

const noPath = (path: string): boolean => !path.startsWith('/') || path.includes('\0');

/** A folder on this machine. Only plain files are read, and no link leads out. */
export function folderTree(folder: string): Tree {
  const root = realpathSync.native(folder);
  const within = <T>(path: string, how: (real: string) => Result<T>): Result<T> => {
    if (noPath(path)) return fail('not a path on the host');
    try {
      const real = realpathSync.native(`${root}${path}`);
      return real === root || real.startsWith(`${root}/`) ? how(real) : fail(LEADS_OUT);
    } catch (error) {
      return systemRefusal(error);
    }
  };
  return {
    read: (path) => within(path, (real) => readFileGuarded(real)),
    list: (path) => within(path, (real) => ok(readdirSync(real).sort())),
    folder: (path) =>
      within(path, (real) => {
        opendirSync(real).closeSync();
        return ok(undefined);
      }),
    // The link itself is asked for, so only its folder has to be within.
    link: (path) =>
      within(path.replace(/\/[^/]*$/, '') || '/', (real) =>
        ok(readlinkSync(`${real}/${path.split('/').at(-1) ?? ''}`)),
      ),
  };
}

const MOST_LINKS = 40;

/** What an archive holds under a name: a file, one that was not taken and why, or a symbolic link and where it points. */
export type Kept = Uint8Array | { readonly refused: string } | { readonly link: string };

function linkOf(kept: Kept | undefined): string | undefined {
  return kept === undefined || kept instanceof Uint8Array || !('link' in kept) ? undefined : kept.link;
}

const notThere = refusal('ENOENT');

/** A path with a part that is no name: `.`, `..` or nothing. */
const UNUSUAL = /\/\.{0,2}(?:\/|$)/;

/** Files and links in memory, by their path below the top, without a slash in front. */
export function memoryTree(files: ReadonlyMap<string, Kept>): Tree {
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  const links = new Set<string>();
  for (const [name, kept] of files) {
    if (linkOf(kept) !== undefined) links.add(name);
    const parts = name.split('/');
    for (let depth = 0; depth < parts.length; depth += 1) {
      const folder = parts.slice(0, depth).join('/');
      const names = folders.get(folder);
      if (names === undefined) folders.set(folder, new Set([parts[depth]!]));
      else names.add(parts[depth]!);
    }
  }
  /** Most paths do not, and are what they are. */
  const leadsOverLink = (path: string, whole: boolean): boolean => {
    if (links.size === 0) return false;
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1))
      if (links.has(path.slice(1, end))) return true;
    return whole && links.has(path.slice(1));
  };
  /** The path with all links on the way followed; the last name is left as it is where `whole` is false. */
  const resolve = (path: string, whole: boolean): Result<string> => {
    if (noPath(path)) return fail('not a path on the host');
    if (!UNUSUAL.test(path) && !leadsOverLink(path, whole)) return ok(path.slice(1));
    const rest = path.split('/').filter((part) => part !== '' && part !== '.');
    const at: string[] = [];
    for (let links = 0; rest.length > 0;) {
      const part = rest.shift()!;
      if (part === '..') {
        if (at.length === 0) return fail(LEADS_OUT);
        at.pop();
        continue;
      }
      at.push(part);
      const link = linkOf(files.get(at.join('/')));
      if (link === undefined || (rest.length === 0 && !whole)) continue;
      if ((links += 1) > MOST_LINKS) return refusal('ELOOP');
      // An absolute target is one of the host's, and would be another file here.
      if (link.startsWith('/')) return fail(LEADS_OUT);
      at.pop();
      rest.unshift(...link.split('/').filter((each) => each !== '' && each !== '.'));
    }
    return ok(at.join('/'));
  };
  const folderAt = (path: string): Result<ReadonlySet<string>> => {
    const name = resolve(path, true);
    if (!name.ok) return name;
    const names = folders.get(name.value);
    if (names !== undefined) return ok(names);
    return files.has(name.value) ? refusal('ENOTDIR') : notThere;
  };
  return {
    read: (path) => {
      const name = resolve(path, true);
      if (!name.ok) return name;
      const kept = files.get(name.value);
      if (kept instanceof Uint8Array) return ok(kept);
      if (kept !== undefined && 'refused' in kept) return fail(kept.refused);
      return folders.has(name.value) ? refusal('EISDIR') : notThere;
    },
    list: (path) => {
      const names = folderAt(path);
      return names.ok ? ok([...names.value].sort()) : names;
    },
    folder: folderAt,
    link: (path) => {
      const name = resolve(path, false);
      if (!name.ok) return name;
      const kept = files.get(name.value);
      if (kept === undefined && !folders.has(name.value)) return notThere;
      const link = linkOf(kept);
      return link === undefined ? refusal('EINVAL') : ok(link);
    },
  };
}

/** The part of a tree below a folder, as a tree of its own. */
export function below(tree: Tree, folder: string): Tree {
  const prefix = folder === '' || folder === '/' ? '' : `/${folder.replace(/^\/+|\/+$/g, '')}`;
  return {
    read: (path) => tree.read(`${prefix}${path}`),
    list: (path) => tree.list(path === '/' && prefix !== '' ? prefix : `${prefix}${path}`),
    folder: (path) => tree.folder(path === '/' && prefix !== '' ? prefix : `${prefix}${path}`),
    link: (path) => tree.link(`${prefix}${path}`),
  };
}

/** The same tree, with what pads a text left out: of whoever reads it, none has to think of it. */
export function unpadded(tree: Tree): Tree {
  return {
    ...tree,
    read: (path) => {
      const got = tree.read(path);
      return got.ok ? ok(withoutPadding(path, got.value)) : got;
    },
  };
}

/** A file of one unfinished line that leads upwards: what some ways of copying make of a symbolic link. */
const PLACEHOLDER = /^(?:\.\.\/)+[^\n\0]{1,4000}$/;

/** The same tree, with links below /sys that became small files taken for links again. */
export function withLinks(tree: Tree): Tree {
  const targets = new Map<string, string | undefined>();
  const targetOf = (path: string): string | undefined => {
    if (!targets.has(path)) {
      const got = tree.read(path);
      const line = got.ok && got.value.length < 4096 ? Buffer.from(got.value).toString('latin1') : '';
      targets.set(path, PLACEHOLDER.test(line) ? line : undefined);
    }
    return targets.get(path);
  };
  /** The path with the first such file on it followed; undefined where there is none. */
  const followed = (path: string): string | undefined => {
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = 2; depth <= parts.length; depth += 1) {
      const target = targetOf(`/${parts.slice(0, depth).join('/')}`);
      if (target === undefined) continue;
      const at = parts.slice(0, depth - 1);
      for (const part of target.split('/')) {
        if (part === '..') at.pop();
        else if (part !== '' && part !== '.') at.push(part);
      }
      return `/${[...at, ...parts.slice(depth)].join('/')}`;
    }
    return undefined;
  };
  const through = <T>(path: string, ask: (path: string) => Result<T>): Result<T> => {
    let at = path;
    let answer = ask(at);
    for (let links = 0; !answer.ok && links < MOST_LINKS && path.startsWith('/sys/'); links += 1) {
      const next = followed(at);
      if (next === undefined) return answer;
      at = next;
      answer = ask(at);
    }
    return answer;
  };
  return {
    read: (path) => through(path, (each) => tree.read(each)),
    list: (path) => through(path, (each) => tree.list(each)),
    folder: (path) => through(path, (each) => tree.folder(each)),
    link: (path) => {
      const target = path.startsWith('/sys/') ? targetOf(path) : undefined;
      if (target !== undefined) return ok(target);
      const folder = path.replace(/\/[^/]*$/, '');
      const real = through(folder, (each) => (tree.folder(each).ok ? ok(each) : refusal('ENOTDIR')));
      return tree.link(real.ok ? `${real.value}/${path.split('/').at(-1) ?? ''}` : path);
    },
  };
}

/** What follows from a copy, worked out once of each: no file of it changes. */
export function perTree<T>(of: (tree: Tree) => T): (tree: Tree) => T {
  const known = new WeakMap<Tree, { readonly fact: T }>();
  return (tree) => {
    const found = known.get(tree) ?? { fact: of(tree) };
    known.set(tree, found);
    return found.fact;
  };
}
