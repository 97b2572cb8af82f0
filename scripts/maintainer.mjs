// Who answers for a package: whoever makes it, as Debian's own tools ask.

/**
 * `NAME <ADDRESS>`, from the environment or the author in package.json; undefined where nobody is named.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string | { name: string, email?: string } | undefined} author
 * @returns {string | undefined}
 */
export function maintainerOf(env, author) {
  const { DEBFULLNAME: name, DEBEMAIL: address } = env;
  if (name && address) return `${name} <${address}>`;
  if (typeof author === 'string') return /^[^<>]+ <[^<>\s@]+@[^<>\s]+>/.exec(author)?.[0];
  return author?.email === undefined ? undefined : `${author.name} <${author.email}>`;
}

/** What stands in a package for which nobody is named: it is nobody's but the machine's it was made on. */
export const madeHere = 'made on this machine <root@localhost>';
