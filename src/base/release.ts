/** The first two numbers of a kernel's release, `4.18.0-305.el8.x86_64`; undefined for what is none. */
function versionOf(release: string): readonly [number, number] | undefined {
  const found = /^(\d{1,5})\.(\d{1,5})/.exec(release);
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

/**
 * Whether a kernel is of that version or a later one; undefined where its release is not known. Distributions carry back what
 * is new: that a kernel is older does not prove that it lacks something.
 */
export function isSince(release: string | undefined, version: string): boolean | undefined {
  const [own, from] = [versionOf(release ?? ''), versionOf(version)];
  if (own === undefined || from === undefined) return undefined;
  return own[0] > from[0] || (own[0] === from[0] && own[1] >= from[1]);
}
