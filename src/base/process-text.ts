/** `nginx (pid 812)`: how a process is named wherever one is. */
export function processText({ comm, pid }: { readonly comm: string; readonly pid: string | number }): string {
  return `${comm} (pid ${pid})`;
}
