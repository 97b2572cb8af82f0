import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';

import { repository } from './fixture.ts';

/** Where upstream's fixtures are kept: beside the repository, since they are not ours to ship. */
export const upstream = `${repository}/../shared/fixtures/upstream`;

export interface ExpectedSeries {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly type: string;
  readonly file: string;
}

export function expectedSeries(name: string): readonly ExpectedSeries[] {
  return JSON.parse(readFileSync(`${upstream}/${name}`, 'utf8')) as ExpectedSeries[];
}

/**
 * Copies a tree. Some ways of shipping it turned its symbolic links into small files that hold the target: a file of one
 * unfinished line that begins with ../ becomes a link again.
 */
export function copyTree(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const status = lstatSync(source);
    if (status.isDirectory()) copyTree(source, target);
    else if (status.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (status.isFile()) {
      const content = readFileSync(source);
      if (status.size < 256 && /^\.\.\/[^\n]*$/.test(content.toString())) symlinkSync(content.toString(), target);
      else writeFileSync(target, content);
    }
  }
}
